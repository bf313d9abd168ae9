# A classifier on one stream of a pre-training config, which gives the encoder, the dataset and the
# view of evaluation: $I2MD_CONFIG is its name below configs/ (default cmd_ntu60). So every config that
# pre-trains is served, whatever its encoder and dataset.
_base_ = '../../{{$I2MD_CONFIG:cmd_ntu60}}.py'

_views = _base_.model.data_preprocessor
_test_view = _views.get('test_view', [dict(type='TemporalCenterResize')])
_first = _views.train_views[0][0]
# Half to all of the frames and at least 64 (CMD's released code), or what the dataset's config
# says of sequences too short for that.
_crop = dict(
    type='TemporalCropResize',
    num_frames=_test_view[0].get('num_frames', 64),
    ratio=(0.5, 1.0),
    min_frames=_base_.get('min_frames', _first.get('min_frames', 64)),
)
model = dict(
    _delete_=True,
    type='SkeletonClassifier',
    modality='joint',
    **{name: _base_.model[name] for name in ('layout', 'num_persons') if name in _base_.model},
    pretrained=dict(checkpoint=None, stream=None),
    backbone=_base_.model.backbone,
    cls_head=dict(
        type='EmbeddingClsHead',
        num_classes=_base_.val_dataloader.dataset.get('num_classes'),
        in_channels=_base_.model.projector.get('in_channels'),
    ),
    data_preprocessor=dict(**{**_views, 'train_views': [[_crop]]}),
)
train_dataloader = dict(batch_size=64)
train_cfg = dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=80, val_interval=5)
val_cfg = dict(_delete_=True, type='ValLoop')
test_cfg = dict(_delete_=True, type='TestLoop')
val_evaluator = dict(_delete_=True, type='AccMetric')
test_evaluator = val_evaluator
param_scheduler = [dict(type='MultiStepLR', milestones=[50, 70], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=64)
_hooks = {name: hook for name, hook in _base_.default_hooks.items() if name not in ('memory', 'stages')}
_hooks['checkpoint'] = dict(
    _hooks['checkpoint'], interval=10, max_keep_ckpts=1, save_best='acc/top1', rule='greater'
)
default_hooks = dict(
    _delete_=True,
    joined_labels=dict(type='JoinedLabelsHook'),
    subset_record=dict(type='SubsetRecordHook'),
    **_hooks,
)
del _views, _first, _crop, _hooks
