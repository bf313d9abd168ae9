_base_ = ['_base_/datasets/pku1_xsub.py', '_base_/methods/crossclr.py']

train_dataloader = dict(batch_size=128, **_base_.preprocessing)
val_dataloader = _base_.preprocessing
test_dataloader = _base_.preprocessing
