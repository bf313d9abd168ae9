# CMD for two CPU cores: moco_nwucla_small.py with distillation.
_base_ = './moco_nwucla_small.py'

model = dict(type='CMD', distillation=dict(type='MutualDistillationLoss', topk=512))
