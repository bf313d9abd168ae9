# SkeletonCLR: MoCo v2 on one stream with the ST-GCN and the normal views of AimCLR (section 4.2),
# whose settings it shares. Another stream: --cfg-options model.streams="['bone']"
_base_ = ['../default_runtime.py', '../schedules/pretrain.py']

_resize = dict(type='TemporalCenterResize', num_frames=50, ratio=1.0)
_normal = [_resize, dict(type='TemporalMirrorCrop', padding_ratio=6), dict(type='Shear', amplitude=0.5)]
model = dict(
    type='SkeletonMoCo',
    streams=('joint',),
    momentum=0.999,
    data_preprocessor=dict(
        type='SkeletonViewPreprocessor', train_views=[_normal, _normal], test_view=[_resize]
    ),
    backbone=dict(type='SlimSTGCN', base_channels=16, embed_dims=256, dropout=0.5),
    projector=dict(type='ProjectionHead', out_channels=128),
    bank=dict(type='MemoryBank', size=32768),
    contrast=dict(type='InfoNCELoss', temperature=0.07),
    compiled=False,
)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_epochs=300)
param_scheduler = [dict(type='MultiStepLR', milestones=[250], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=128)

# What a config of a data set takes as ``train_dataloader, val_dataloader, test_dataloader``: batches of
# 128 and the preprocessing as released, each person about the shoulder centre, axes as they are.
_pipeline = [
    dict(type='SkeletonPreNormalize', center='person', align_spine=False, align_shoulders=False),
    dict(type='PackActionInputs', meta_keys=('frame_dir',)),
]
_loader = dict(dataset=dict(pipeline=_pipeline))
dataloaders = [dict(batch_size=128, **_loader), _loader, _loader]
del _resize, _normal, _pipeline, _loader
