# I2MD on the demo data as filmed, in two coordinates, for a CPU.
_base_ = ['_base_/datasets/demo_2d.py', '_base_/methods/i2md_small.py']

model = dict(distillation=dict(topk=128), **_base_.small)
