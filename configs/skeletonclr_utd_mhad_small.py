# SkeletonCLR on UTD-MHAD, for a CPU, joint stream.
_base_ = ['_base_/datasets/utd_mhad_xsub.py', '_base_/methods/skeletonclr_small.py']

model = dict(bank=dict(size=512), **_base_.skeleton)
