"""The real data sets, each pre-trained for an epoch by the config that ships for it."""

import os
import pickle
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2md_mmaction.protocols import downstream_config

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get('I2MD_DATA', ROOT.parent / 'shared/data'))
FILES = dict(nwucla='nw_ucla_3d', utd_mhad='utd_mhad', msr_action3d='msr_action3d', sbu='sbu')
#: Accuracy (%) of guessing.
CHANCE = dict(nwucla=10, utd_mhad=100 / 27, msr_action3d=5, sbu=12.5)


def needed(*names):
    """Skips where the files are not here."""
    absent = [
        str(DATA / f'{FILES[name]}.pkl') for name in names if not (DATA / f'{FILES[name]}.pkl').exists()
    ]
    if absent:
        pytest.skip(f'{", ".join(absent)} not here; set I2MD_DATA to the folder of the data sets')


def short(name, work_dir, monkeypatch, **options):
    """A shipped config for one epoch, with a narrow encoder."""
    monkeypatch.setenv('I2MD_DATA', str(DATA))
    config = Config.fromfile(ROOT / f'configs/{name}.py')
    narrow = dict(BiGRU=dict(hidden_channels=16), SlimSTGCN=dict(base_channels=4, embed_dims=16))
    narrow['GCNTransformer'] = dict(gcn_channels=4, embed_dims=16, num_heads=2, feedforward_channels=16)
    loader = dict(num_workers=0, persistent_workers=False, pin_memory=False)
    backends = [dict(type='LocalVisBackend')]
    config.merge_from_dict(
        dict(
            model=dict(backbone=narrow[config.model.backbone.type]),
            train_dataloader=loader,
            val_dataloader=loader,
            test_dataloader=loader,
            train_cfg=dict(max_epochs=1, val_interval=1),
            work_dir=str(work_dir),
            randomness=dict(seed=0),
            experiment_name=f'{name}_{work_dir.name}',
            vis_backends=backends,
            visualizer=dict(vis_backends=backends, name=str(work_dir)),
        )
    )
    config.merge_from_dict(options)
    return config


#: One method on every data set, and two other encoders: one on two persons, one on one stream.
RUNS = [*(('cmd', data) for data in FILES), ('i2md', 'sbu'), ('aimclr', 'utd_mhad')]


@pytest.mark.parametrize('method, data', RUNS)
def test_a_method_pre_trains_on_a_real_data_set(method, data, tmp_path, monkeypatch):
    needed(data)
    runner = Runner.from_cfg(short(f'{method}_{data}_small', tmp_path, monkeypatch))
    runner.train()
    assert runner.message_hub.get_scalar('val/knn/top1').current() > 2 * CHANCE[data]
    assert int(runner.model.bank.filled) == min(runner.model.bank.size, len(runner.train_dataloader.dataset))


def test_the_joined_data_sets_pre_train_and_are_watched_on_one_of_them(tmp_path, monkeypatch):
    needed('nwucla', 'utd_mhad', 'msr_action3d')
    runner = Runner.from_cfg(short('cmd_kinect20_joined_small', tmp_path, monkeypatch))
    runner.train()
    parts = runner.train_dataloader.dataset.datasets
    assert [len(part) for part in parts] == [1020, 431, 284]
    assert len(runner.val_dataloader.dataset) == 464 and len(runner.val_loop.bank_dataloader.dataset) == 1020
    assert runner.message_hub.get_scalar('val/knn/top1').current() > 2 * CHANCE['nwucla']


@pytest.mark.parametrize('fold', ['fold1', 'fold3'])
def test_a_fold_is_one_word(fold, monkeypatch):
    needed('sbu')
    monkeypatch.setenv('I2MD_DATA', str(DATA))
    monkeypatch.setenv('SBU_FOLD', fold)
    config = Config.fromfile(ROOT / 'configs/cmd_sbu_small.py')
    content = pickle.loads((DATA / 'sbu.pkl').read_bytes())
    for part, split in (('train', f'{fold}_train'), ('val', f'{fold}_val'), ('test', f'{fold}_val')):
        assert config[f'{part}_dataloader'].dataset.split == split and split in content['split']
    assert config.val_cfg.bank.split == config.test_cfg.bank.split == f'{fold}_train'
    classifier = downstream_config(config, 'linear', ROOT / 'configs/downstream')
    assert classifier.train_dataloader.dataset.split == f'{fold}_train'
    assert classifier.model.layout == 'openni15' and classifier.model.num_persons == 2
