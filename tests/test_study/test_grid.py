"""A grid names its runs, and composes their configs."""

import re

import pytest
from mmengine.config import Config

from i2md_mmaction.study.grid import Grid, Job
from i2md_mmaction.study.results import load_results
from tools import study


@pytest.fixture
def grid(small_study):
    return Grid(small_study / 'grid.py')


def test_runs_go_by_seed_and_hold_every_method_data_set_and_fold_once(grid):
    jobs = grid.jobs()
    assert len(set(jobs)) == len(jobs)
    assert [job.seed for job in jobs] == sorted(job.seed for job in jobs)
    methods = ('untrained', 'supervised', 'moco', 'moco_small')
    places = (('demo', None), ('halves', 'first'), ('halves', 'second'))
    wanted = {
        Job('gru', method, data, seed, fold) for method in methods for data, fold in places for seed in (0, 1)
    }
    # The joints themselves are the same for all seeds.
    wanted |= {Job('gru', 'raw', data, 0, fold) for data, fold in places}
    assert set(jobs) == wanted
    assert jobs[0].name == 'demo/gru/raw_seed0' and jobs[-1].name == 'halves/gru/moco_small_seed1_second'


@pytest.mark.parametrize(
    ('method', 'protocols'),
    [
        ('raw', ['knn']),
        ('supervised', ['supervised']),
        ('untrained', ['knn', 'linear_cached', 'semi_10']),
        ('moco', ['knn', 'linear_cached', 'semi_10']),
        ('moco_small', ['knn', 'linear_cached']),
    ],
)
def test_what_is_measured_of_a_method(grid, method, protocols):
    assert grid.protocols(Job('gru', method, 'demo', 0)) == protocols


def test_a_floor_is_not_measured_where_no_method_of_its_encoder_is(small_study):
    file = small_study / 'grid.py'
    text = file.read_text().replace("semi_10=['moco', 'untrained']", "semi_10=['cmd', 'untrained']")
    file.write_text(text)
    assert Grid(file).protocols(Job('gru', 'untrained', 'demo', 0)) == ['knn', 'linear_cached']


def test_the_layout_names_floors_methods_and_ceiling_in_order(grid):
    encoder = grid.layout['encoders']['gru']
    assert list(encoder['methods']) == ['raw', 'untrained', 'moco', 'moco_small', 'supervised']
    assert encoder['methods']['moco_small'] == 'MoCo v2, bank of 8' and encoder['baseline'] == 'moco'
    assert list(grid.layout['data']) == ['demo', 'halves']


def test_a_config_holds_data_method_encoder_and_settings(grid, tmp_path):
    config = Config.fromfile(grid.compose(Job('gru', 'moco', 'demo', 0), tmp_path / 'run'))
    assert config.train_dataloader.dataset.name == 'small_demo'
    assert config.model.type == 'SkeletonMoCo' and tuple(config.model.streams) == ('joint', 'bone')
    assert config.model.bank.size == 16 and config.train_cfg.max_epochs == 2
    assert config.optim_wrapper.optimizer.type == 'AdamW'


def test_a_variant_differs_from_its_method_in_its_change_alone(grid, tmp_path):
    method, variant = (
        Config.fromfile(grid.compose(Job('gru', name, 'demo', 0), tmp_path / name)).to_dict()
        for name in ('moco', 'moco_small')
    )
    assert variant['model']['bank'].pop('size') == 8 and method['model']['bank'].pop('size') == 16
    assert variant == method


@pytest.mark.parametrize('floor', ['raw', 'untrained', 'supervised'])
def test_a_floor_has_the_config_of_the_baseline(grid, tmp_path, floor):
    ours = Config.fromfile(grid.compose(Job('gru', floor, 'demo', 0), tmp_path / floor))
    baseline = Config.fromfile(grid.compose(Job('gru', 'moco', 'demo', 0), tmp_path / 'moco'))
    assert ours.to_dict() == baseline.to_dict()


def test_a_fold_is_chosen_by_the_environment(grid, tmp_path, monkeypatch):
    job = Job('gru', 'moco', 'halves', 0, 'second')
    assert grid.environment(job) == dict(DEMO_HALF='second')
    assert grid.environment(Job('gru', 'moco', 'demo', 0)) == {}
    monkeypatch.setenv('DEMO_HALF', 'second')
    assert Config.fromfile(grid.compose(job, tmp_path)).val_dataloader.dataset.split == 'second_val'


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ("baseline='moco'", "baseline='simclr'", "baseline 'simclr' of gru is none of its methods"),
        ("'untrained', 'supervised'", "'chance'", r"unknown references \['chance'\]"),
        ("moco='MoCo v2'", "moco='MoCo v2', cmd='CMD'", 'configs/gru/cmd.py missing'),
        ("demo='demo data'", "demo='demo data', sbu='SBU'", 'configs/data/sbu.py missing'),
        ("title='MoCo v2, bank of 8'", "name='MoCo v2'", "method 'moco_small' of gru"),
    ],
)
def test_a_grid_that_cannot_be_run_is_refused_by_name(small_study, old, new, message):
    file = small_study / 'grid.py'
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises((ValueError, OSError), match=message):
        Grid(file)


JOINED = """
_base_ = './demo.py'
small = dict(bank=dict(size=12))
_part = _base_.train_dataloader.dataset
_parts = [_part, dict(_part, split='xview_train')]
train_dataloader = dict(dataset=dict(_delete_=True, type='ConcatDataset', datasets=_parts))
del _part, _parts
"""


@pytest.fixture
def shared_pretraining(small_study):
    """The grid of a study whose runs learn from joined data, and are evaluated on the halves of one part."""
    for name in ('first', 'second'):
        own = f"\nval_dataloader = dict(dataset=dict(split='{name}_val'))\ntest_dataloader = val_dataloader\n"
        (small_study / f'configs/data/{name}.py').write_text("_base_ = './demo.py'\n" + own)
    (small_study / 'configs/data/joined.py').write_text(JOINED)
    file = small_study / 'grid.py'
    text = re.sub(
        r'data = dict\(demo.*', "data = dict(first='first half', second='second half')", file.read_text()
    )
    text = re.sub(r'(?m)^folds = .*', "pretraining = 'joined'", text)
    file.write_text(re.sub(r'(?m)^protocols = .*', 'protocols = dict(knn=None)', text))
    return Grid(file)


def test_one_pre_training_is_evaluated_on_all_data_sets(shared_pretraining, tmp_path):
    job = Job('gru', 'moco', 'joined', 0)
    assert job in shared_pretraining.jobs()
    assert {job.data for job in shared_pretraining.jobs()} == {'joined'}
    seen = [Job('gru', 'moco', 'first', 0), Job('gru', 'moco', 'second', 0)]
    assert shared_pretraining.evaluations(job) == seen
    learned = Config.fromfile(shared_pretraining.compose(job, tmp_path))
    assert learned.train_dataloader.dataset.type == 'ConcatDataset'
    for own in seen:
        file = shared_pretraining.compose_evaluation(job, own.data, tmp_path / own.data)
        config = Config.fromfile(file)
        assert config.model == learned.model and config.model.bank.size == 12
        assert config.test_dataloader.dataset.split == f'{own.data}_val'
        # Nothing of the joined data is left in what the encoder is evaluated on.
        alone = Config.fromfile(shared_pretraining.compose(own, tmp_path / 'alone'))
        loaded = ('train_dataloader', 'val_dataloader', 'test_dataloader', 'val_cfg', 'test_cfg')
        assert all(config[key] == alone[key] for key in loaded)
        assert 'datasets' not in config.train_dataloader.dataset


def test_a_shared_pre_training_leaves_a_result_for_each_data_set(shared_pretraining, small_study):
    line = ['run', str(shared_pretraining.path), '--work-dir', str(small_study / 'runs')]
    assert study.main([*line, '--only', 'moco_seed0']) == 0
    results = load_results(small_study / 'results' / 'grid')
    assert [result.name for result in results] == ['first/gru/moco_seed0', 'second/gru/moco_seed0']
    assert len({result.names for result in results}) == 2
    assert len({result.source['config'] for result in results}) == 1
    assert [path.name for path in (small_study / 'runs').glob('*/gru/*/epoch_2.pth')] == ['epoch_2.pth']
