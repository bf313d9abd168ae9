# The MoCo baseline for two CPU cores. All sizes are ours.
_base_ = './moco_nwucla.py'

model = dict(
    momentum=0.99,
    data_preprocessor=_base_.small_views,
    backbone=dict(hidden_channels=128, num_layers=2),
)
optim_wrapper = dict(optimizer=dict(lr=0.02))
train_cfg = dict(max_epochs=150)
param_scheduler = [dict(type='MultiStepLR', milestones=[120], gamma=0.1)]
default_hooks = dict(logger=dict(interval=16))
