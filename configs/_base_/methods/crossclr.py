# CrosSCLR (section 4.2) with three streams; encoder and views are SkeletonCLR's.
_base_ = './skeletonclr.py'

model = dict(
    type='CrosSCLR',
    streams=('joint', 'motion', 'bone'),
    neighbor=dict(type='NeighborMiningLoss', temperature=0.07, form='mean_log'),
    context=True,
)
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, mining=False), dict(begin=0.5, mining=True)])
)
