# 1,735 sequences of three data sets with the same joints to pre-train on.
_base_ = '../../../../configs/_base_/datasets/kinect20_joined.py'

epochs = 30
small = dict(bank=dict(size=1024))
sized = dict(distillation=dict(topk=128))
