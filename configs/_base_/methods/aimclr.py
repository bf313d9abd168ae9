# AimCLR (section 4.2); what it shares with SkeletonCLR stands there.
_base_ = './skeletonclr.py'

_normal = _base_.model.data_preprocessor.train_views[0]
_extreme = [
    *_normal,
    dict(type='SpatialFlip', p=0.5),
    dict(type='RandomRotation', main_degrees=30, other_degrees=1),
    dict(type='GaussianNoise', std=0.01, p=0.5),
    dict(type='TemporalGaussianBlur', kernel_size=15, sigma=(0.1, 2.0), p=0.5),
    dict(type='AxisMask', p=0.5),
    # Named in the paper, off in the released configs.
    dict(type='TemporalFlip', p=0.0),
]
model = dict(
    type='AimCLR',
    data_preprocessor=dict(train_views=[_normal, _normal, _extreme]),
    divergence=dict(type='DistributionalDivergenceLoss', temperature=0.07),
    neighbor=dict(type='NeighborMiningLoss', temperature=0.07, form='mean_log'),
    # The released ST-GCN keeps at 0.7.
    drop=dict(type='EnergyDrop', keep_prob=0.7),
    topk=1,
)
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, mining=False), dict(begin=0.5, mining=True)])
)
del _normal, _extreme
