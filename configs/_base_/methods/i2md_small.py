# I2MD for two CPU cores. All sizes are ours.
_base_ = './i2md.py'

model = dict(
    momentum=0.99,
    backbone=dict(
        gcn_channels=16, embed_dims=128, depth=2, num_heads=4, feedforward_channels=256, num_frames=32
    ),
    distillation=dict(topk=512),
    num_neighbors=16,
)
# AdamW gets a small Transformer in 150 epochs where SGD would need many more.
optim_wrapper = dict(
    type='OptimWrapper',  # float32: not every CPU computes in bfloat16
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05),
)
train_cfg = dict(max_epochs=150)
param_scheduler = [dict(type='MultiStepLR', milestones=[120], gamma=0.1)]
default_hooks = dict(logger=dict(interval=16))
