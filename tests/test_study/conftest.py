"""A study on demo skeletons whose runs take seconds."""

import pickle
from pathlib import Path

import pytest

from i2md_mmaction.datasets.demo import make_demo_dataset

ROOT = Path(__file__).parents[2]

GRID = """
encoders = dict(
    gru=dict(
        title='BiGRU',
        baseline='moco',
        methods=dict(
            moco='MoCo v2',
            moco_small=dict(
                title='MoCo v2, bank of 8', config='moco', change='model = dict(bank=dict(size=8))'
            ),
        ),
        compose='model = dict(**_base_.small)',
    ),
)
references = ['raw', 'untrained', 'supervised']
settings = '''
train_cfg = dict(max_epochs=2, val_interval=1000)
param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=0.1)]
default_hooks = dict(checkpoint=dict(save_best=None, interval=1))
'''
data = dict(demo='demo data', halves='demo data in halves')
folds = dict(halves={name: dict(DEMO_HALF=name) for name in ('first', 'second')})
seeds = [0, 1]
protocols = dict(knn=None, linear_cached=None, semi_10=['moco', 'untrained'])
pages = ['README.md']
"""

DATA = f"""
_base_ = {str(ROOT / 'configs/_base_/datasets/demo.py')!r}
small = dict(
    streams=('joint', 'bone'), backbone=dict(hidden_channels=6, num_layers=1), bank=dict(size=16)
)
_dataset = dict(name='small_demo', ann_file=DEMO_FILE, num_classes=4)
train_dataloader = dict(batch_size=8, dataset=_dataset)
val_dataloader = dict(batch_size=8, dataset=_dataset)
test_dataloader = val_dataloader
del _dataset
"""

HALVES = """
_base_ = './demo.py'
_half = __import__('os').environ.get('DEMO_HALF', 'first')
val_dataloader = dict(dataset=dict(split=f'{_half}_val'))
test_dataloader = val_dataloader
del _half
"""

#: Fewer epochs than the protocols have.
SHORT = """
_base_ = {base!r}
train_cfg = dict(max_epochs=2, val_interval=2)
param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=0.1)]
"""

#: As a ceiling is trained.
ADAM = """
optim_wrapper = dict(_delete_=True, type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3))
"""


@pytest.fixture
def small_study(tmp_path):
    """The folder of a study of two methods, on demo data and on halves of its test split."""
    dataset = make_demo_dataset(num_classes=4, samples_per_class=10, seed=0)
    names = dataset['split']['xsub_val']
    dataset['split'].update(first_val=names[::2], second_val=names[1::2])
    file = tmp_path / 'demo.pkl'
    file.write_bytes(pickle.dumps(dataset))
    downstream = ROOT / 'configs/downstream'
    texts = {
        'grid.py': GRID,
        'README.md': '# Study\n\n<!-- grid:knn -->\n<!-- /grid:knn -->\n',
        'configs/data/demo.py': DATA.replace('DEMO_FILE', repr(str(file))),
        'configs/data/halves.py': HALVES,
        'configs/gru/moco.py': f'_base_ = {str(ROOT / "configs/_base_/methods/moco_small.py")!r}\n',
        'configs/protocols/linear.py': SHORT.format(base=str(downstream / 'linear.py')),
        'configs/protocols/semi_10.py': SHORT.format(base=str(downstream / 'semi_10.py')),
        'configs/protocols/supervised.py': SHORT.format(base=str(downstream / 'finetune.py')) + ADAM,
    }
    for name, text in texts.items():
        path = tmp_path / 'study' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / 'study'
