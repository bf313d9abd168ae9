# MoCo v2 on three streams with CMD's encoder, views and schedule: the baseline of CMD (section 4.2).
_base_ = ['../default_runtime.py', '../schedules/pretrain.py']

model = dict(
    type='SkeletonMoCo',
    streams=('joint', 'motion', 'bone'),
    momentum=0.999,
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor',
        train_views=[
            [
                dict(type='TemporalCropResize', num_frames=64, ratio=(0.1, 1.0), min_frames=64),
                dict(
                    type='OneOfAugmentations',
                    transforms=[
                        dict(type='Shear', amplitude=1.0),
                        dict(type='JointCorruption', num_joints=15),
                    ],
                ),
            ]
        ]
        * 2,
        test_view=[dict(type='TemporalCenterResize', num_frames=64, ratio=0.95)],
    ),
    backbone=dict(type='BiGRU', hidden_channels=1024, num_layers=3),
    projector=dict(type='ProjectionHead', out_channels=128),
    bank=dict(type='MemoryBank', size=16384),
    contrast=dict(type='InfoNCELoss', temperature=0.07),
)

train_cfg = dict(max_epochs=450)
param_scheduler = [dict(type='MultiStepLR', milestones=[350], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=64)
