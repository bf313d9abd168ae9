# SkeletonCLR on Northwestern-UCLA, for a CPU, joint stream.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/skeletonclr_small.py']

model = dict(bank=dict(size=1024), **_base_.skeleton)
