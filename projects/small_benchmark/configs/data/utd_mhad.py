# 431 sequences to pre-train on, 16 of a class.
_base_ = '../../../../configs/_base_/datasets/utd_mhad_xsub.py'

epochs = 80
small = dict(bank=dict(size=256))
sized = dict(distillation=dict(topk=32))
