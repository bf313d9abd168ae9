# AimCLR on SBU Kinect Interaction, for a CPU, joint stream.
_base_ = ['_base_/datasets/sbu.py', '_base_/methods/aimclr_small.py']

model = dict(bank=dict(size=256), **_base_.skeleton)
