# AimCLR for two CPU cores. All sizes are ours.
_base_ = './aimclr.py'

model = dict(momentum=0.99, backbone=dict(base_channels=8, embed_dims=64))
optim_wrapper = dict(
    type='OptimWrapper',  # float32: not every CPU computes in bfloat16
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05),
)
train_cfg = dict(max_epochs=30)
param_scheduler = [dict(type='MultiStepLR', milestones=[24], gamma=0.1)]
default_hooks = dict(
    logger=dict(interval=16),
    # From half-way, as in the paper, mining cost 7 points of 1-NN on NW-UCLA: see docs/results.md.
    stages=dict(stages=[dict(begin=0, mining=False), dict(begin=0.8, mining=True)]),
)
