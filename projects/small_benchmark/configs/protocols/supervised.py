# The ceiling: the encoder trained with all labels from scratch, by pre-training's optimiser, views and batch.
_base_ = '../../../../configs/downstream/finetune.py'

train_view = 'pretraining'

train_dataloader = dict(batch_size=16)

optim_wrapper = dict(
    _delete_=True, type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05)
)
train_cfg = dict(max_epochs=100, val_interval=1000)
default_hooks = dict(checkpoint=dict(save_best=None))
param_scheduler = [dict(type='MultiStepLR', milestones=[80], gamma=0.1)]
