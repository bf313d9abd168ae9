# AimCLR on MSR-Action3D, for a CPU, joint stream.
_base_ = ['_base_/datasets/msr_action3d_xsub.py', '_base_/methods/aimclr_small.py']

model = dict(bank=dict(size=256), **_base_.skeleton)
