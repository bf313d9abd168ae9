_base_ = './moco.py'

model = dict(type='CrosSCLR', neighbor=dict(type='NeighborMiningLoss', temperature=0.07))
# Mining in the last fifth, see README.md; in the paper, from half-way.
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, mining=False), dict(begin=0.8, mining=True)])
)
