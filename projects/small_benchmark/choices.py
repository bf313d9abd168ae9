# How the settings of the small benchmark were chosen, on UTD-MHAD's training subjects alone:
# `python tools/study.py run projects/small_benchmark/choices.py`. README.md says how they are chosen.
_base_ = './grid.py'

_narrow = """
model = dict(
    bank=dict(size={bank}), backbone=dict(embed_dims=64, feedforward_channels=128, gcn_layers={layers})
)
train_dataloader = dict(batch_size={batch})
"""
_epochs = """
train_cfg = dict(max_epochs={epochs})
param_scheduler = [dict(type='MultiStepLR', milestones=[{milestone}], gamma=0.1)]
"""
_batch32 = _narrow.format(bank=256, layers=3, batch=32)
_changes = dict(
    moco_narrow=('64 dimensions', _narrow.format(bank=512, layers=3, batch=64)),
    moco_short=(
        'and 60 epochs',
        _narrow.format(bank=512, layers=3, batch=64) + _epochs.format(epochs=60, milestone=48),
    ),
    moco_bank256=('64 dimensions, bank of 256', _narrow.format(bank=256, layers=3, batch=64)),
    moco_bank128=('64 dimensions, bank of 128', _narrow.format(bank=128, layers=3, batch=64)),
    moco_batch32=('64 dimensions, bank of 256, batches of 32', _batch32),
    moco_batch16=('batches of 16', _narrow.format(bank=256, layers=3, batch=16)),
    moco_two_layers=('batches of 32, two graph layers', _narrow.format(bank=256, layers=2, batch=32)),
    moco_small=('batches of 16, two graph layers, bank of 128', _narrow.format(bank=128, layers=2, batch=16)),
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
