_base_ = [
    '_base_/default_runtime.py',
    '_base_/datasets/nw_ucla_xview.py',
    '_base_/models/i2md.py',
    '_base_/schedules/pretrain.py',
]
view = [
    dict(type='TemporalCropResize', num_frames=32, ratio=(0.5, 1.0), min_frames=8),
    dict(
        type='OneOfAugmentations',
        transforms=[dict(type='Shear', amplitude=1.0), dict(type='JointCorruption', num_joints=12)],
    ),
]
model = dict(
    layout=_base_.body.layout,
    data_preprocessor=dict(
        train_views=[view, view], test_view=[dict(type='TemporalCenterResize', num_frames=32)], **_base_.body
    ),
    backbone=dict(
        gcn_channels=16, embed_dims=128, depth=2, num_heads=4, feedforward_channels=256, num_frames=32, **_base_.body
    ),
    bank=dict(size=1024),
    distillation=dict(topk=512),
    num_neighbors=16,
)
train_dataloader = dict(batch_size=64, num_workers=1)
val_dataloader = dict(num_workers=1)
test_dataloader = val_dataloader
