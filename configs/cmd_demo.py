# A small CMD on the demo data: moco_demo.py with distillation.
_base_ = './moco_demo.py'

model = dict(type='CMD', distillation=dict(type='MutualDistillationLoss', topk=128))
