# CrosSCLR-B on the demo data: moco_demo.py with its losses.
_base_ = './moco_demo.py'

model = dict(type='CrosSCLR', neighbor=dict(type='NeighborMiningLoss', temperature=0.07))
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, mining=False), dict(begin=0.5, mining=True)])
)
