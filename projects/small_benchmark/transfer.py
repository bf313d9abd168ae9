# One encoder for three data sets: pre-trained on all their training sequences, evaluated on each.
# `python tools/study.py run projects/small_benchmark/transfer.py`
_base_ = './grid.py'

encoders = dict(
    _delete_=True,
    gcn_transformer=dict(
        title='GCN-Transformer, one for three data sets',
        baseline='moco',
        methods=dict(moco='MoCo v2', cmd='CMD', i2md='I2MD'),
        compose=_base_.encoders.gcn_transformer.compose,
    ),
)
references = ['raw', 'untrained']
pretraining = 'joined'
data = dict(
    _delete_=True,
    nw_ucla='NW-UCLA x-view',
    utd_mhad='UTD-MHAD x-sub',
    msr_action3d='MSR-Action3D x-sub',
)
folds = dict(_delete_=True)
pages = ['../../docs/results.md']
