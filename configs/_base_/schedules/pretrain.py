# SGD with one step of the learning rate, as all the papers here pre-train.
# bfloat16, where the papers had float32: optim_wrapper.type=OptimWrapper brings that back.
optim_wrapper = dict(
    type='BFloat16OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4, fused=True),
)
# On several GPUs the statistics are those of the whole batch, so that none tells a key from the rest.
sync_bn = 'torch'
train_cfg = dict(type='SkeletonTrainLoop', val_interval=10)
