# I2MD on NTU RGB+D 60, cross-subject.
_base_ = ['_base_/datasets/ntu60_xsub.py', '_base_/methods/i2md.py']

train_dataloader = dict(batch_size=256)
