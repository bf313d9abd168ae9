# How the settings of the small benchmark were chosen, on UTD-MHAD's training subjects alone:
# `python tools/study.py run projects/small_benchmark/choices.py`. README.md says how they are chosen.
_base_ = './grid.py'

_narrow = 'model = dict(bank=dict(size={bank}), backbone=dict(embed_dims=64, feedforward_channels=128))\n'
_epochs = (
    'train_cfg = dict(max_epochs={epochs})\n'
    "param_scheduler = [dict(type='MultiStepLR', milestones=[{milestone}], gamma=0.1)]\n"
)
_batch32 = _narrow.format(bank=256) + 'train_dataloader = dict(batch_size=32)\n'
_changes = dict(
    moco_narrow=('64 dimensions', _narrow.format(bank=512)),
    moco_short=('and 60 epochs', _narrow.format(bank=512) + _epochs.format(epochs=60, milestone=48)),
    moco_bank256=('64 dimensions, bank of 256', _narrow.format(bank=256)),
    moco_bank128=('64 dimensions, bank of 128', _narrow.format(bank=128)),
    moco_batch32=('64 dimensions, bank of 256, batches of 32', _batch32),
    moco_batch32_long=('and 200 epochs', _batch32 + _epochs.format(epochs=200, milestone=160)),
    moco_rate=(
        'and three times the rate',
        _narrow.format(bank=256) + 'optim_wrapper = dict(optimizer=dict(lr=3e-3))\n',
    ),
    moco_long=('and 300 epochs', _narrow.format(bank=256) + _epochs.format(epochs=300, milestone=240)),
)
encoders = dict(
    _delete_=True,
    gcn_transformer=dict(
        title='GCN-Transformer, three streams',
        baseline='moco',
        methods=dict(
            moco='MoCo v2, 128 dimensions, 100 epochs, bank of 512',
            **{
                name: dict(title=f'MoCo v2, {title}', config='moco', change=change)
                for name, (title, change) in _changes.items()
            },
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
pages = []
