# MoCo on the demo data as filmed, in two coordinates, for a CPU.
_base_ = ['_base_/datasets/demo_2d.py', '_base_/methods/moco_small.py']

model = _base_.small
