# SBU Kinect Interaction: two persons of 15 joints. $SBU_FOLD is the fold to test on, fold1 to fold5;
# results are the mean of the five.
_base_ = './nw_ucla_xview.py'

_fold = __import__('os').environ.get('SBU_FOLD', 'fold1')
skeleton = dict(layout='openni15', num_persons=2)
_dataset = dict(
    name='sbu',
    ann_file=f'{_base_.data_root}/sbu.pkl',
    num_classes=8,
    pipeline=[
        # Where the main person stands at first is the origin for both, so that the way they walk
        # towards one another is kept; one camera looks from one side: docs/data.md has the figures. Ours.
        dict(type='SkeletonPreNormalize', center='first', align_spine=False, align_shoulders=False),
        dict(type='PackActionInputs', meta_keys=('frame_dir',)),
    ],
    **skeleton,
)
train_dataloader = dict(dataset=dict(split=f'{_fold}_train', **_dataset))
val_dataloader = dict(dataset=dict(split=f'{_fold}_val', **_dataset))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split=f'{_fold}_train'))
test_cfg = val_cfg

# 9 and 5 of 15 joints, as 15 and 8 of 25.
_crop = dict(type='TemporalCropResize', num_frames=64, ratio=(0.5, 1.0), min_frames=8)
_pose = dict(
    type='OneOfAugmentations',
    transforms=[dict(type='Shear', amplitude=1.0), dict(type='JointCorruption', num_joints=9)],
)
_small_pose = dict(
    type='OneOfAugmentations',
    transforms=[dict(type='Shear', amplitude=0.5), dict(type='JointCorruption', num_joints=5)],
)
# 217 to 230 sequences.
fitted = dict(**skeleton, data_preprocessor=dict(train_views=[[_crop, _pose]] * 2), bank=dict(size=256))
small = dict(
    **skeleton,
    data_preprocessor=dict(train_views=[[dict(_crop, num_frames=32), _small_pose]] * 2),
    bank=dict(size=256),
)
del _fold, _dataset, _crop, _pose, _small_pose
