_base_ = './skeletonclr.py'

model = dict(
    type='CrosSCLR',
    streams=('joint', 'motion', 'bone'),
    neighbor=dict(type='NeighborMiningLoss', temperature=0.07, form='mean_log'),
    context=True,
)
# Mining in the last fifth, see README.md; in the paper, from half-way.
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, mining=False), dict(begin=0.8, mining=True)])
)
