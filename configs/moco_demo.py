# A small MoCo baseline on the demo data. All sizes are ours.
_base_ = ['_base_/datasets/demo.py', '_base_/methods/moco.py']

model = dict(
    momentum=0.99,
    data_preprocessor=_base_.small_views,
    backbone=dict(hidden_channels=128, num_layers=2),
    bank=dict(size=256),
)
# As in the small configs of NW-UCLA.
optim_wrapper = dict(
    type='OptimWrapper',  # float32: not every CPU computes in bfloat16
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05),
)
train_cfg = dict(max_epochs=60, val_interval=5)
param_scheduler = [dict(type='MultiStepLR', milestones=[50], gamma=0.1)]
default_hooks = dict(logger=dict(interval=5))
