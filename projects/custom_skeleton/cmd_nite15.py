# A small CMD on skeletons of one's own. All sizes are ours.
_base_ = '../../configs/cmd_demo.py'

custom_imports = dict(imports=['i2md_mmaction', 'projects.custom_skeleton.nite15'])
_skeleton = dict(layout='nite15', num_persons=2)
_dataset = dict(name='nite15', ann_file='data/custom/nite15.pkl', num_classes=5, **_skeleton)
train_dataloader = dict(batch_size=32, dataset=dict(split='train', **_dataset))
val_dataloader = dict(dataset=dict(split='val', **_dataset))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split='train'))
test_cfg = val_cfg

_view = [
    dict(type='TemporalCropResize', num_frames=32, ratio=(0.5, 1.0), min_frames=16),
    dict(
        type='OneOfAugmentations',
        transforms=[dict(type='Shear', amplitude=0.5), dict(type='JointCorruption', num_joints=5)],
    ),
]
model = dict(data_preprocessor=dict(train_views=[_view, _view]), **_skeleton)
train_cfg = dict(max_epochs=20)
param_scheduler = [dict(type='MultiStepLR', milestones=[16], gamma=0.1)]
del _skeleton, _dataset, _view
