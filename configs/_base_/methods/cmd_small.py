# CMD for two CPU cores: moco_small.py with distillation.
_base_ = './moco_small.py'

model = dict(type='CMD', distillation=dict(type='MutualDistillationLoss', topk=512))
