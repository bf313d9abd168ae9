_base_ = './moco.py'

model = dict(type='CrosSCLR', neighbor=dict(type='NeighborMiningLoss', temperature=0.07))
# Mining from half-way, as in the paper.
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, mining=False), dict(begin=0.5, mining=True)])
)
