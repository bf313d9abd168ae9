# mmaction2's STGCN++ with the pre-normalisation and the augmentations of this package, on joints.
# Frames are resampled by a crop in place of UniformSampleFrames, so that one clip of a sample is enough.
_base_ = 'mmaction::skeleton/stgcnpp/stgcnpp_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d.py'

custom_imports = dict(imports=['i2md_mmaction'])
_normalize = dict(type='SkeletonPreNormalize')
_format = [dict(type='FormatGCNInput', num_person=2), dict(type='PackActionInputs')]
train_pipeline = [
    _normalize,
    dict(type='TemporalCropResize', num_frames=100, ratio=(0.5, 1.0)),
    dict(type='RandomRotation', main_degrees=30, other_degrees=1),
    *_format,
]
val_pipeline = [_normalize, dict(type='TemporalCenterResize', num_frames=100), *_format]
test_pipeline = val_pipeline
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(batch_size=16, dataset=dict(pipeline=test_pipeline))
del _normalize, _format
