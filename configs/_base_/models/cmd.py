# CMD, section 4.2 and its released code.
view = [
    dict(type='TemporalCropResize', num_frames=64, ratio=(0.1, 1.0), min_frames=64),
    dict(
        type='OneOfAugmentations',
        transforms=[dict(type='Shear', amplitude=1.0), dict(type='JointCorruption', num_joints=15)],
    ),
]
model = dict(
    type='CMD',
    layout='ntu25',
    streams=('joint', 'motion', 'bone'),
    momentum=0.999,
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor',
        layout='ntu25',
        num_persons=2,
        train_views=[view, view],
        test_view=[dict(type='TemporalCenterResize', num_frames=64, ratio=0.95)],
    ),
    backbone=dict(type='BiGRU', layout='ntu25', num_persons=2, hidden_channels=1024, num_layers=3),
    projector=dict(type='ProjectionHead', out_channels=128),
    bank=dict(type='MemoryBank', size=16384),
    contrast=dict(type='InfoNCELoss', temperature=0.07),
    distillation=dict(
        type='MutualDistillationLoss', teacher_temperature=0.05, student_temperature=0.1, topk=8192
    ),
    cmd_weight=1.0,
)
