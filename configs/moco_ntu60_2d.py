# MoCo on the 2-D skeletons of NTU RGB+D 60, cross-subject.
_base_ = ['_base_/datasets/ntu60_2d_xsub.py', '_base_/methods/moco.py']

model = _base_.fitted
