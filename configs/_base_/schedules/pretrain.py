# SGD with one step of the learning rate, as all the papers here pre-train.
# The epochs are I2MD's on NTU.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=500, val_interval=10)
param_scheduler = [dict(type='MultiStepLR', milestones=[400], gamma=0.1)]
