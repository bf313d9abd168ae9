# SkeletonCLR: MoCo v2 on one stream with the ST-GCN and the normal views of AimCLR (section 4.2),
# whose settings it shares. Batches of 128, which the config of a dataset sets.
# Another stream: --cfg-options model.streams="['bone']"
_base_ = ['../default_runtime.py', '../schedules/pretrain.py']

# As released: each person about the shoulder centre, frame by frame, no alignment of axes.
preprocessing = dict(
    dataset=dict(
        pipeline=[
            dict(
                type='SkeletonPreNormalize',
                layout='ntu25',
                center='person',
                align_spine=False,
                align_shoulders=False,
            ),
            dict(type='PackActionInputs', meta_keys=('frame_dir',)),
        ]
    )
)
resize = dict(type='TemporalCenterResize', num_frames=50, ratio=1.0)
normal_view = [resize, dict(type='TemporalMirrorCrop', padding_ratio=6), dict(type='Shear', amplitude=0.5)]
model = dict(
    type='SkeletonMoCo',
    layout='ntu25',
    streams=('joint',),
    momentum=0.999,
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor',
        layout='ntu25',
        num_persons=2,
        train_views=[normal_view, normal_view],
        test_view=[resize],
    ),
    backbone=dict(type='SlimSTGCN', layout='ntu25', base_channels=16, embed_dims=256, dropout=0.5),
    projector=dict(type='ProjectionHead', out_channels=128),
    bank=dict(type='MemoryBank', size=32768),
    contrast=dict(type='InfoNCELoss', temperature=0.07),
    compiled=False,
)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_epochs=300)
param_scheduler = [dict(type='MultiStepLR', milestones=[250], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=128)
