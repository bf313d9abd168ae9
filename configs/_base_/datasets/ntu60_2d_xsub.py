# NTU RGB+D 60, cross-subject, the skeletons of images: 17 joints as COCO has them, in pixels, in the form
# that mmaction2 publishes (ntu60_2d.pkl). Any 2-D data set is a child of this one.
_base_ = './ntu60_xsub.py'

#: What data set and model have in common; `model = dict(..., **_base_.skeleton)` in the config of a method.
skeleton = dict(layout='coco17', num_persons=2, num_coordinates=2)
_dataset = dict(
    # Another name than that of the 3-D data, whose published results are of other skeletons.
    name='ntu60_2d',
    ann_file=f'{_base_.data_root}/ntu60_2d.pkl',
    pipeline=[
        dict(type='PixelNormalize'),
        # In the picture a body has no axes of its own, and is as large as it is near. Ours; docs/data.md
        # has figures of other origins. Without this step the image itself is the frame of reference.
        dict(
            type='SkeletonPreNormalize',
            center='frame',
            align_spine=False,
            align_shoulders=False,
            scale_body=True,
        ),
        dict(type='PackActionInputs', meta_keys=('frame_dir',)),
    ],
    **skeleton,
)
train_dataloader = dict(dataset=_dataset)
val_dataloader = dict(dataset=_dataset)
test_dataloader = val_dataloader

# 10 and 5 of 17 joints, as the papers' 15 and our 8 of 25.
_crop = dict(type='TemporalCropResize', num_frames=64, ratio=(0.1, 1.0), min_frames=64)
_pose = dict(
    type='OneOfAugmentations',
    transforms=[dict(type='Shear', amplitude=1.0), dict(type='JointCorruption', num_joints=10)],
)
_small_crop = dict(type='TemporalCropResize', num_frames=32, ratio=(0.5, 1.0), min_frames=16)
_small_pose = dict(
    type='OneOfAugmentations',
    transforms=[dict(type='Shear', amplitude=0.5), dict(type='JointCorruption', num_joints=5)],
)
#: The same with the views of CMD and I2MD made for 17 joints.
fitted = dict(**skeleton, data_preprocessor=dict(train_views=[[_crop, _pose]] * 2))
#: As `fitted`, for the methods' `_small` settings.
small = dict(
    **skeleton,
    data_preprocessor=dict(
        train_views=[[_small_crop, _small_pose]] * 2,
        test_view=[dict(type='TemporalCenterResize', num_frames=32)],
    ),
)
del _dataset, _crop, _pose, _small_crop, _small_pose
