# 217 to 230 sequences of two persons to pre-train on, 28 of a class.
_base_ = '../../../../configs/_base_/datasets/sbu.py'

epochs = 150
small = dict(bank=dict(size=128))
sized = dict(distillation=dict(topk=16))
