# A small I2MD that pre-trains in minutes on two CPU cores. All sizes are ours.
_base_ = ['_base_/datasets/demo.py', '_base_/methods/i2md.py']

model = dict(
    momentum=0.99,
    data_preprocessor=_base_.small_views,
    backbone=dict(
        gcn_channels=16, embed_dims=128, depth=2, num_heads=4, feedforward_channels=256, num_frames=32
    ),
    bank=dict(size=256),
    distillation=dict(topk=128),
    num_neighbors=16,
)
# As in the small configs of NW-UCLA.
optim_wrapper = dict(
    type='OptimWrapper',  # float32: not every CPU computes in bfloat16
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05),
)
train_cfg = dict(max_epochs=60, val_interval=5)
param_scheduler = [dict(type='MultiStepLR', milestones=[50], gamma=0.1)]
default_hooks = dict(logger=dict(interval=5))
