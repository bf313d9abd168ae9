# How the settings of the small benchmark were chosen, on UTD-MHAD's training subjects alone:
# `python tools/study.py run projects/small_benchmark/choices.py`. README.md says what was chosen, and why.
_base_ = './grid.py'

_narrow = 'model = dict(backbone=dict(embed_dims=64, feedforward_channels=128))\n'
encoders = dict(
    _delete_=True,
    gcn_transformer=dict(
        title='GCN-Transformer, three streams',
        baseline='moco',
        methods=dict(
            moco='MoCo v2, 128 dimensions, 100 epochs, bank of 512',
            moco_narrow=dict(title='MoCo v2, 64 dimensions', config='moco', change=_narrow),
            moco_short=dict(
                title='MoCo v2, 64 dimensions, 60 epochs',
                config='moco',
                change=_narrow + 'train_cfg = dict(max_epochs=60)\n'
                "param_scheduler = [dict(type='MultiStepLR', milestones=[48], gamma=0.1)]\n",
            ),
            moco_bank256=dict(
                title='MoCo v2, 64 dimensions, bank of 256',
                config='moco',
                change=_narrow.replace('model = dict(', 'model = dict(bank=dict(size=256), '),
            ),
            moco_bank128=dict(
                title='MoCo v2, 64 dimensions, bank of 128',
                config='moco',
                change=_narrow.replace('model = dict(', 'model = dict(bank=dict(size=128), '),
            ),
        ),
        compose=_base_.encoders.gcn_transformer.compose,
    ),
)
references = ['raw', 'untrained']
data = dict(_delete_=True, utd_mhad_inner='UTD-MHAD, four inner folds')
folds = dict(
    _delete_=True, utd_mhad_inner={f'fold{fold}': dict(INNER_FOLD=f'fold{fold}') for fold in range(1, 5)}
)
seeds = [0]
protocols = dict(_delete_=True, knn=None, linear_cached=None)
