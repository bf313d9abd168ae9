# A small I2MD that pre-trains in two minutes on two CPU cores. All sizes are ours.
_base_ = ['_base_/datasets/demo.py', '_base_/methods/i2md.py']

model = dict(
    momentum=0.99,
    data_preprocessor=_base_.small_views,
    backbone=dict(
        gcn_channels=16,
        gcn_layers=2,
        embed_dims=64,
        depth=2,
        num_heads=4,
        feedforward_channels=128,
        num_frames=32,
    ),
    # Half the sequences, and an eighth of them: as in projects/small_benchmark.
    bank=dict(size=128),
    distillation=dict(topk=16),
    num_neighbors=16,
)
# As in the small configs of NW-UCLA.
optim_wrapper = dict(
    type='OptimWrapper',  # float32: not every CPU computes in bfloat16
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05),
)
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_epochs=30, val_interval=5)
param_scheduler = [dict(type='MultiStepLR', milestones=[25], gamma=0.1)]
# Beside 1-NN, what can be measured without labels.
val_evaluator = [dict(type='KNNAccuracy', k=1), dict(type='EmbeddingQuality')]
default_hooks = dict(logger=dict(interval=5))
