_base_ = './moco.py'

model = dict(type='MCL', mutual=dict(type='InfoNCELoss', temperature=0.07))
