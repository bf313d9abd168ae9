# AimCLR on the 2-D skeletons of NTU RGB+D 60, cross-subject, joint stream.
_base_ = ['_base_/datasets/ntu60_2d_xsub.py', '_base_/methods/aimclr.py']

model = _base_.skeleton
train_dataloader = dict(batch_size=128)
