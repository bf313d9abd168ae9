# A classifier on one stream of a pre-training config. This is the difference: encoder, layout, data
# set and view of evaluation come from the pre-training config (i2md_mmaction/protocols/configs.py).
model = dict(
    type='SkeletonClassifier',
    modality='joint',
    pretrained=dict(checkpoint=None, stream=None),
    cls_head=dict(type='EmbeddingClsHead'),
)
train_dataloader = dict(batch_size=64)
train_cfg = dict(_delete_=True, type='SkeletonTrainLoop', max_epochs=80, val_interval=5)
val_cfg = dict(_delete_=True, type='SkeletonValLoop')
test_cfg = dict(_delete_=True, type='SkeletonTestLoop')
val_evaluator = dict(_delete_=True, type='AccMetric')
test_evaluator = dict(_delete_=True, type='AccMetric')
param_scheduler = [dict(type='MultiStepLR', milestones=[50, 70], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=64)
default_hooks = dict(
    class_names=dict(type='ClassNamesHook'),
    subset_record=dict(type='SubsetRecordHook'),
    checkpoint=dict(interval=10, max_keep_ckpts=1, save_best='acc/top1', rule='greater'),
)
