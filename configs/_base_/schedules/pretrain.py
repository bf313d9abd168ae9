# SGD with one step of the learning rate, as all the papers here pre-train.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
)
train_cfg = dict(type='EpochBasedTrainLoop', val_interval=10)
