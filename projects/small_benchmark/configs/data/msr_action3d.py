# 284 sequences to pre-train on, 14 of a class.
_base_ = '../../../../configs/_base_/datasets/msr_action3d_xsub.py'

epochs = 120
small = dict(bank=dict(size=128))
sized = dict(distillation=dict(topk=16))
