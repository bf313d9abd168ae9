# The number of anchors depends on the data set's bank.
_base_ = './moco.py'

model = dict(type='CMD', distillation=dict(type='MutualDistillationLoss'))
