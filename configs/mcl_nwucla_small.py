# MCL for two CPU cores: moco_nwucla_small.py with contrast across streams.
_base_ = './moco_nwucla_small.py'

model = dict(type='MCL', mutual=dict(type='InfoNCELoss', temperature=0.07))
