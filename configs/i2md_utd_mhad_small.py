# I2MD on UTD-MHAD, for a CPU.
_base_ = ['_base_/datasets/utd_mhad_xsub.py', '_base_/methods/i2md_small.py']

model = dict(distillation=dict(topk=256), **_base_.small)
