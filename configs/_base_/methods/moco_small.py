# MoCo for two CPU cores. All sizes are ours.
_base_ = './moco.py'

model = dict(momentum=0.99, backbone=dict(hidden_channels=128, num_layers=2))
# AdamW gets a small GRU in 100 epochs where SGD would need many more.
optim_wrapper = dict(
    type='OptimWrapper',  # float32: not every CPU computes in bfloat16
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05),
)
train_cfg = dict(max_epochs=100)
param_scheduler = [dict(type='MultiStepLR', milestones=[80], gamma=0.1)]
default_hooks = dict(logger=dict(interval=16))
