# SkeletonCLR for two CPU cores. All sizes are ours.
_base_ = './skeletonclr.py'

model = dict(momentum=0.99, backbone=dict(base_channels=8, embed_dims=64))
optim_wrapper = dict(
    type='OptimWrapper',  # float32: not every CPU computes in bfloat16
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05),
)
train_cfg = dict(max_epochs=30)
param_scheduler = [dict(type='MultiStepLR', milestones=[24], gamma=0.1)]
default_hooks = dict(logger=dict(interval=16))
