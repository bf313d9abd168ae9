# The MoCo baseline for two CPU cores. All sizes are ours.
_base_ = './moco_nwucla.py'

model = dict(
    momentum=0.99,
    data_preprocessor=_base_.small_views,
    backbone=dict(hidden_channels=128, num_layers=2),
)
