_base_ = './moco.py'

model = dict(type='CMD', distillation=dict(type='MutualDistillationLoss', topk=512))
