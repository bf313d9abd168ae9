# MCL on MSR-Action3D, for a CPU.
_base_ = ['_base_/datasets/msr_action3d_xsub.py', '_base_/methods/mcl_small.py']

model = _base_.small
