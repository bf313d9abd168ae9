# CrosSCLR-B for two CPU cores: moco_small.py with mining across streams.
_base_ = './moco_small.py'

model = dict(type='CrosSCLR', neighbor=dict(type='NeighborMiningLoss', temperature=0.07))
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, mining=False), dict(begin=0.5, mining=True)])
)
