# MCL for two CPU cores: moco_small.py with contrast across streams.
_base_ = './moco_small.py'

model = dict(type='MCL', mutual=dict(type='InfoNCELoss', temperature=0.07))
