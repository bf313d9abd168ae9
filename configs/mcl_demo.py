# MCL on the demo data: moco_demo.py with its losses.
_base_ = './moco_demo.py'

model = dict(type='MCL', mutual=dict(type='InfoNCELoss', temperature=0.07))
