# NTU RGB+D 60, cross-subject: two persons of 25 joints, which is what data sets and models take by default.
# The other data sets are children of this one.

# $I2MD_DATA names the folder of the annotation files; `data` by default. MMEngine's own {{$NAME}} is pasted
# into the text, where a backslash or an apostrophe breaks it, and an import would make this another kind of
# config.
data_root = __import__('os').environ.get('I2MD_DATA', 'data')
_dataset = dict(
    type='SkeletonDataset',
    name='ntu60',
    ann_file=f'{data_root}/ntu60_3d.pkl',
    num_classes=60,
    pipeline=[
        # As the authors preprocess: origin subtracted frame by frame, cut at 300 frames.
        dict(type='SkeletonPreNormalize', center='frame'),
        dict(type='PackActionInputs', meta_keys=('frame_dir',)),
    ],
)

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='xsub_train', **_dataset),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='xsub_val', test_mode=True, **_dataset),
)
test_dataloader = val_dataloader

val_cfg = dict(type='KNNLoop', bank=dict(split='xsub_train'))
test_cfg = dict(mode='test', **val_cfg)
val_evaluator = dict(type='KNNAccuracy', k=1)
test_evaluator = val_evaluator
del _dataset
