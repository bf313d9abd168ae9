# CrosSCLR-B of CMD's tables: CrosSCLR with CMD's encoder and views; stages of 150 epochs.
_base_ = './moco.py'

model = dict(
    type='CrosSCLR',
    neighbor=dict(type='NeighborMiningLoss', temperature=0.07, form='mean_log'),
    context=True,
)
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, mining=False), dict(begin=0.5, mining=True)])
)
train_cfg = dict(max_epochs=300)
param_scheduler = [dict(type='MultiStepLR', milestones=[250], gamma=0.1)]
