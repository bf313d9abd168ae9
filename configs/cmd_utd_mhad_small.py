# CMD on UTD-MHAD, for a CPU.
_base_ = ['_base_/datasets/utd_mhad_xsub.py', '_base_/methods/cmd_small.py']

model = dict(distillation=dict(topk=256), **_base_.small)
