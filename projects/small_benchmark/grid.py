# What the small benchmark runs: `python tools/study.py run projects/small_benchmark/grid.py`.
# A run's config inherits from the data set's and the method's, and goes on with `compose` of its encoder
# and with `settings`.

encoders = dict(
    gcn_transformer=dict(
        title='GCN-Transformer, three streams',
        baseline='moco',
        methods=dict(
            moco='MoCo v2',
            mcl='MCL',
            crossclr='CrosSCLR',
            cmd='CMD',
            i2md_imd='I2MD, IMD alone',
            i2md='I2MD',
        ),
        compose='model = dict(_base_.small, **{k: v for k, v in _base_.sized.items() if k in _base_.model})',
    ),
    stgcn=dict(
        title='slim ST-GCN, joints',
        baseline='skeletonclr',
        methods=dict(skeletonclr='SkeletonCLR', aimclr='AimCLR', crossclr='CrosSCLR, 3 streams'),
        # Dropout of 0.5, which the encoder has otherwise, is too much for so few channels: see README.md.
        compose='model = dict(_base_.skeleton, bank=_base_.small.bank, backbone=dict(dropout=0.0))',
    ),
)
#: The same for all, so that methods are compared and not schedules. One validation, after the last epoch:
#: no checkpoint is chosen by what the test split says. Each run has one core, on which workers would only
#: get into its way.
settings = """
_loader = dict(num_workers=0, persistent_workers=False)
train_dataloader, val_dataloader, test_dataloader = dict(_loader, batch_size=16), _loader, _loader
train_cfg = dict(max_epochs=_base_.epochs, val_interval=1000)
param_scheduler = [dict(type='MultiStepLR', milestones=[_base_.epochs * 4 // 5], gamma=0.1)]
default_hooks = dict(checkpoint=dict(save_best=None))
"""
#: What stands beside the methods: floors and the ceiling.
references = ['raw', 'untrained', 'supervised']
data = dict(
    nw_ucla='NW-UCLA x-view',
    utd_mhad='UTD-MHAD x-sub',
    msr_action3d='MSR-Action3D x-sub',
    sbu='SBU, first fold',
)
#: The environment of each fold of a data set that has some. All five folds of SBU would take as long as
#: everything else.
folds = dict(sbu=dict(fold1=dict(SBU_FOLD='fold1')))
seeds = [0, 1, 2, 3, 4]
#: What is measured of an encoder, and of which methods alone.
protocols = dict(knn=None, linear_cached=None, semi_10=['moco', 'cmd', 'i2md', 'untrained'])
#: Where `study.py table` puts its tables.
pages = ['README.md', '../../README.md', '../../docs/results.md']
