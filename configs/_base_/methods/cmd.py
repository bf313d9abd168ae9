# CMD (section 4.2); streams, views, encoder and schedule are the baseline's.
_base_ = './moco.py'

model = dict(
    type='CMD',
    distillation=dict(
        type='MutualDistillationLoss', teacher_temperature=0.05, student_temperature=0.1, topk=8192
    ),
    cmd_weight=1.0,
)
