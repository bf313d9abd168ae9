# Mutual contrastive learning in place of CMD's distillation.
_base_ = './moco.py'

model = dict(type='MCL', mutual=dict(type='InfoNCELoss', temperature=0.07), mcl_weight=1.0)
