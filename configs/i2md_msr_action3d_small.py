# I2MD on MSR-Action3D, for a CPU.
_base_ = ['_base_/datasets/msr_action3d_xsub.py', '_base_/methods/i2md_small.py']

model = dict(distillation=dict(topk=128), **_base_.small)
