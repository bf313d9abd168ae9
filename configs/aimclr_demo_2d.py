# AimCLR on the demo data as filmed, in two coordinates, for a CPU, joint stream.
_base_ = ['_base_/datasets/demo_2d.py', '_base_/methods/aimclr_small.py']

model = dict(bank=dict(size=256), **_base_.skeleton)
