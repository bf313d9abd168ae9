_base_ = ['_base_/datasets/ntu60_xview.py', '_base_/methods/aimclr.py']

train_dataloader = dict(batch_size=128, **_base_.preprocessing)
val_dataloader = _base_.preprocessing
test_dataloader = _base_.preprocessing
