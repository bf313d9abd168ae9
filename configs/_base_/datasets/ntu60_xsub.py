# NTU RGB+D 60, cross-subject. The other datasets are children of this one.
# $I2MD_DATA names the folder of the annotation files; `data` by default.
body = dict(layout='ntu25', num_persons=2)
dataset = dict(
    type='SkeletonDataset',
    name='ntu60',
    ann_file='{{$I2MD_DATA:data}}/ntu60_3d.pkl',
    num_classes=60,
    pipeline=[
        # As the authors preprocess: origin subtracted frame by frame, cut at 300 frames.
        dict(type='SkeletonPreNormalize', layout='ntu25', center='frame'),
        dict(type='PackActionInputs', meta_keys=('frame_dir',)),
    ],
    **body,
)

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(split='xsub_train', **dataset),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='xsub_val', test_mode=True, **dataset),
)
test_dataloader = val_dataloader

val_cfg = dict(type='KNNLoop', bank=dict(split='xsub_train'))
test_cfg = dict(stage='test', **val_cfg)
val_evaluator = dict(type='KNNAccuracy', k=1)
test_evaluator = val_evaluator
