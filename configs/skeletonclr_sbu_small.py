# SkeletonCLR on SBU Kinect Interaction, for a CPU, joint stream.
_base_ = ['_base_/datasets/sbu.py', '_base_/methods/skeletonclr_small.py']

model = dict(bank=dict(size=256), **_base_.skeleton)
