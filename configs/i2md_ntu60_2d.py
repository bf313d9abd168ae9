# I2MD on the 2-D skeletons of NTU RGB+D 60, cross-subject.
_base_ = ['_base_/datasets/ntu60_2d_xsub.py', '_base_/methods/i2md.py']

model = _base_.fitted
train_dataloader = dict(batch_size=256)
