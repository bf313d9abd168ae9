# How the settings of the small benchmark were chosen, on UTD-MHAD's training subjects alone:
# `PYTHONPATH=. python tools/study.py run projects/small_benchmark/choices.py`.
# README.md says how they are chosen.
_base_ = './grid.py'

# What all methods share, chosen by MoCo v2; what grid.py has now was the last of these.
_shared = """
model = dict(
    bank=dict(size={bank}),
    backbone=dict(embed_dims={dims}, feedforward_channels={feedforward}, gcn_layers={layers}),
)
train_dataloader = dict(batch_size={batch})
train_cfg = dict(max_epochs={epochs})
param_scheduler = [dict(type='MultiStepLR', milestones=[{epochs} * 4 // 5], gamma=0.1)]
"""
_first = dict(bank=512, dims=128, feedforward=256, layers=3, batch=64, epochs=100)
_narrow = dict(_first, dims=64, feedforward=128)
_moco = dict(
    moco_wide=('128 dimensions, three graph layers, batches of 64, bank of 512', _first),
    moco_narrow=('64 dimensions', _narrow),
    moco_short=('and 60 epochs', dict(_narrow, epochs=60)),
    moco_bank256=('64 dimensions, bank of 256', dict(_narrow, bank=256)),
    moco_bank128=('64 dimensions, bank of 128', dict(_narrow, bank=128)),
    moco_batch32=('64 dimensions, bank of 256, batches of 32', dict(_narrow, bank=256, batch=32)),
    moco_batch16=('batches of 16', dict(_narrow, bank=256, batch=16)),
    moco_two_layers=('batches of 32, two graph layers', dict(_narrow, bank=256, batch=32, layers=2)),
)
# The same for the other encoder, chosen by SkeletonCLR.
_dropout = 'model = dict(backbone=dict(dropout={}))\n'
_skeletonclr = dict(
    skeletonclr_dropout50=('batches of 16, dropout of 0.5', _dropout.format(0.5)),
    skeletonclr_batch64=(
        'batches of 64, dropout of 0.5',
        _dropout.format(0.5) + 'train_dataloader = dict(batch_size=64)\n',
    ),
    skeletonclr_dropout20=('batches of 16, dropout of 0.2', _dropout.format(0.2)),
)
# What a method alone has.
_topk = 'model = dict(distillation=dict(topk={}))\n'
_neighbors = 'model = dict(distillation=dict(topk=64), num_neighbors={}, imd_weight={})\n'
_start = (
    'default_hooks = dict(stages=dict(stages=[dict(begin=0, mining=False), dict(begin={}, mining=True)]))\n'
)
_from_half_way = """
default_hooks = dict(
    stages=dict(type='PretrainStageHook', stages=[dict(begin=0, {0}=0.0), dict(begin=0.5, {0}=1.0)])
)
"""
_others = """
custom_imports = dict(imports=['i2md_mmaction', 'projects.small_benchmark.own_keys'])
model = dict(type='I2MDOtherNeighbors')
"""
_alone = dict(
    cmd=dict(
        cmd_k64=('K = 64', _topk.format(64)),
        cmd_k16=('K = 16', _topk.format(16)),
        cmd_k4=('K = 4', _topk.format(4)),
        cmd_start=('K = 16, from half-way', _topk.format(16) + _from_half_way.format('cmd_weight')),
    ),
    i2md=dict(
        i2md_d16=('16 neighbours', _neighbors.format(16, 1.0)),
        i2md_d4=('4 neighbours', _neighbors.format(4, 1.0)),
        i2md_d1=('1 neighbour', _neighbors.format(1, 1.0)),
        i2md_half=('4 neighbours, IMD weighted 0.5', _neighbors.format(4, 0.5)),
        # Looked at after the first final runs, to understand them; too late to be chosen.
        i2md_as_run=('16 neighbours, K = 16', ''),
        i2md_few=('4 neighbours, K = 16', 'model = dict(num_neighbors=4)\n'),
        i2md_more_cmd=('16 neighbours, K = 16, CMD weighted 1', 'model = dict(cmd_weight=1.0)\n'),
        i2md_start=('16 neighbours, K = 16, IMD from half-way', _from_half_way.format('imd_weight')),
        i2md_others=('16 neighbours, K = 16, own past keys left out', _others),
    ),
    crossclr=dict(
        crossclr_half=('mining from half-way', _start.format(0.5)),
        crossclr_late=('mining in the last fifth', _start.format(0.8)),
    ),
    aimclr=dict(
        aimclr_half=('mining from half-way', _start.format(0.5)),
        aimclr_late=('mining in the last fifth', _start.format(0.8)),
        aimclr_never=(
            'no mining',
            'default_hooks = dict(stages=dict(stages=[dict(begin=0, mining=False)]))\n',
        ),
        aimclr_drop=(
            'mining in the last fifth, energy drop above 0.9',
            'model = dict(drop=dict(keep_prob=0.9))\n' + _start.format(0.8),
        ),
    ),
)
_titles = dict(cmd='CMD', i2md='I2MD', crossclr='CrosSCLR', aimclr='AimCLR')
_variants = {
    method: {
        name: dict(title=f'{_titles[method]}, {title}', config=method, change=change)
        for name, (title, change) in variants.items()
    }
    for method, variants in _alone.items()
}
encoders = dict(
    gcn_transformer=dict(
        methods=dict(
            _delete_=True,
            **{
                name: dict(title=f'MoCo v2, {title}', config='moco', change=_shared.format(**values))
                for name, (title, values) in _moco.items()
            },
            moco='MoCo v2, batches of 16, two graph layers, bank of 128',
            **_variants['cmd'],
            **_variants['i2md'],
            **_variants['crossclr'],
        )
    ),
    stgcn=dict(
        methods=dict(
            _delete_=True,
            **{
                name: dict(title=f'SkeletonCLR, {title}', config='skeletonclr', change=change)
                for name, (title, change) in _skeletonclr.items()
            },
            skeletonclr='SkeletonCLR, batches of 16, no dropout',
            **_variants['aimclr'],
        )
    ),
)
references = ['raw', 'untrained']
data = dict(_delete_=True, utd_mhad_inner='UTD-MHAD, four inner folds')
folds = dict(
    _delete_=True, utd_mhad_inner={f'fold{fold}': dict(INNER_FOLD=f'fold{fold}') for fold in range(1, 5)}
)
seeds = [0]
protocols = dict(_delete_=True, knn=None, linear_cached=None)
pages = []
