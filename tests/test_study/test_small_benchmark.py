"""The shipped benchmark: every run of its grids has a config that builds, and what was stated stands."""

import json
import pickle
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config

from i2md_mmaction.apis import Embeddings
from i2md_mmaction.study.figures import study_figures
from i2md_mmaction.study.grid import Grid
from i2md_mmaction.study.page import fill_page
from i2md_mmaction.study.results import load_result, load_results
from i2md_mmaction.study.table import study_tables
from projects.small_benchmark import inner_split, neighbors
from projects.small_benchmark.own_keys import I2MDOtherNeighbors

ROOT = Path(__file__).parents[2]
BENCHMARK = ROOT / 'projects' / 'small_benchmark'
GRIDS = {name: Grid(BENCHMARK / f'{name}.py') for name in ('grid', 'choices', 'transfer')}
#: One run of each method on each data set.
RUNS = [
    pytest.param(grid, job, id=f'{name}-{job.name}')
    for name, grid in GRIDS.items()
    for job in grid.jobs()
    if job.seed == 0 and job.fold in (None, 'fold1') and job.pretrains
]
#: What methods share, so that they are compared and not their schedules.
SHARED = ('train_cfg', 'param_scheduler', 'optim_wrapper', 'train_dataloader', 'test_dataloader', 'val_cfg')


@pytest.mark.parametrize(('grid', 'job'), RUNS)
def test_the_config_of_every_run_builds_its_method(grid, job, tmp_path):
    config = Config.fromfile(grid.compose(job, tmp_path))
    model = MODELS.build(config.model)
    assert model.bank.size <= 1024
    assert model.data_preprocessor.num_joints == (15 if job.data == 'sbu' else 20)
    # No checkpoint is chosen by what the test split says.
    assert config.default_hooks.checkpoint.save_best is None
    assert config.train_cfg.val_interval > config.train_cfg.max_epochs


def test_methods_of_an_encoder_differ_in_nothing_but_the_method(tmp_path):
    grid = GRIDS['grid']
    for data in grid.content.data:
        loaders = []
        for encoder, methods in grid.methods.items():
            fold = next(iter(grid.content.folds.get(data, {None: None})))
            configs = [
                Config.fromfile(grid.compose(job, tmp_path))
                for job in grid.jobs()
                if (job.encoder, job.data, job.seed, job.fold) == (encoder, data, 0, fold)
                and job.method in methods
            ]
            assert len(configs) == len(methods)
            loaders.append(configs[0].train_dataloader)
            for config in configs:
                assert all(config[key] == configs[0][key] for key in SHARED)
                assert config.model.bank.size == configs[0].model.bank.size
                assert config.model.backbone == configs[0].model.backbone
                assert config.model.momentum == configs[0].model.momentum
                assert (
                    config.model.data_preprocessor.test_view == configs[0].model.data_preprocessor.test_view
                )
        # Encoders see the same joints, so that they stand above the same floor.
        assert loaders[0] == loaders[1]


def test_settings_are_chosen_without_the_test_subjects(tmp_path, capsys):
    names = [f'a{action:02d}_s{subject:02d}_t01' for action in (1, 2) for subject in range(1, 9)]
    training = [name for name in names if int(name[5:7]) % 2]
    annotations = [dict(frame_dir=name, label=0) for name in names]
    source, out = tmp_path / 'utd_mhad.pkl', tmp_path / 'inner' / 'out.pkl'
    split = dict(xsub_train=training, xsub_val=sorted(set(names) - set(training)))
    source.write_bytes(pickle.dumps(dict(split=split, annotations=annotations)))
    assert inner_split.main([str(source), str(out)]) == 0
    content = pickle.loads(out.read_bytes())
    assert {sample['frame_dir'] for sample in content['annotations']} == set(training)
    held_out = []
    for number, subject in enumerate((1, 3, 5, 7), start=1):
        rest, tested = (content['split'][f'fold{number}_{part}'] for part in ('train', 'val'))
        assert tested == [name for name in training if name[5:7] == f'{subject:02d}']
        assert sorted(rest + tested) == sorted(training)
        held_out += tested
    assert sorted(held_out) == sorted(training)
    assert f'made {out}' in capsys.readouterr().out


@pytest.mark.parametrize('by', ['class', 'performer'])
def test_neighbours_are_counted_by_class_and_by_performer(by, monkeypatch, capsys):
    """Embeddings that say nothing but the class, or the performer, have none but such neighbours."""
    labels, performers, _ = (values.ravel() for values in np.indices((4, 4, 4)))
    features = np.eye(4, dtype=np.float32)[labels if by == 'class' else performers]
    features += np.random.default_rng(0).normal(scale=1e-3, size=features.shape).astype(np.float32)
    names = [f'a{label:02d}_s{performer:02d}_e00' for label, performer in zip(labels, performers)]
    data = SimpleNamespace(name='mine', ann_file='mine.pkl', split='train')
    encoder = SimpleNamespace(
        config=SimpleNamespace(train_dataloader=SimpleNamespace(dataset=data)),
        model=SimpleNamespace(num_neighbors=2, bank=SimpleNamespace(size=48)),
        encode=lambda file, split: Embeddings(names, labels, np.zeros((64, 2)), dict(joint=features)),
    )
    monkeypatch.setattr(neighbors, 'SkeletonEncoder', lambda checkpoint: encoder)
    assert neighbors.main(['epoch_1.pth']) == 0
    *_, row = capsys.readouterr().out.splitlines()
    _, data, k, size, by_class, by_performer, _ = map(str.strip, row.split('|'))
    assert (data, k, size) == ('mine', '2', '32')  # half of them, where the bank would hold more
    told = {'class': by_class, 'performer': by_performer}
    assert told[by] == f'100 % ({100 * 15 / 63:.0f} %)'
    assert all(int(text.split()[0]) < 50 for name, text in told.items() if name != by)


def test_a_sample_is_not_among_its_own_neighbours():
    model = I2MDOtherNeighbors(
        backbone=dict(type='GCNTransformer', embed_dims=16, depth=1, num_heads=2),
        streams=('joint',),
        bank=dict(type='MemoryBank', size=6),
        num_neighbors=5,
        distillation=dict(type='MutualDistillationLoss', topk=2),
    )
    # Rows 0 and 1 are overwritten by the last step, so that the bank has the samples 1, 4, 0, 5, 2, 3.
    for numbers in ((4, 1), (0, 5), (2, 3), (1, 4)):
        samples = [ActionDataSample(metainfo=dict(frame_dir=f'clip{number}')) for number in numbers]
        model.loss(torch.rand(2, 2, 2, 16, 25, 3).unbind(), samples)
        model.enqueue_keys()
    for row, number in enumerate((1, 4, 0, 5, 2, 3)):
        samples = [ActionDataSample(metainfo=dict(frame_dir=f'clip{number}'))]
        model.loss(torch.rand(2, 1, 2, 16, 25, 3).unbind(), samples)
        nearest = torch.eye(6)[row : row + 1]
        found, ignored = model.neighbors(nearest, nearest, torch.eye(6))
        assert not ignored.any()
        assert torch.equal(found.sum(dim=1), 1 - nearest)


def test_keys_of_other_processes_are_refused(monkeypatch):
    monkeypatch.setattr('projects.small_benchmark.own_keys.get_world_size', lambda: 2)
    backbone = dict(type='GCNTransformer', embed_dims=16, depth=1, num_heads=2)
    with pytest.raises(RuntimeError, match='whose keys come from other processes; use one'):
        I2MDOtherNeighbors(backbone=backbone, num_neighbors=4)


def test_the_page_states_the_choices_as_they_were_measured():
    runs = {}
    for path in (BENCHMARK / 'results' / 'choices').glob('*/*/*.json'):
        run = load_result(path)
        runs.setdefault(run.method, []).append(run)
    page = (BENCHMARK / 'README.md').read_text(encoding='utf-8')
    row = re.compile(r'^\| `(\w+)` \| [^|]* \| ([\d.]+) \| ([\d.]+) \| (.+) \|$', re.MULTILINE)
    stated = row.findall(page)
    assert {name for name, *_ in stated} == set(runs) - {'raw', 'untrained'}
    for name, *figures, folds in stated:
        numbers = sorted(int(run.fold[-1]) for run in runs[name])
        assert folds == ('1 to 4' if len(numbers) == 4 else ' and '.join(map(str, numbers)))
        for protocol, figure in zip(('knn', 'linear_cached'), figures):
            mean = np.mean([run.accuracy(protocol) for run in runs[name]])
            assert figure == f'{mean:.1f}'


@pytest.mark.parametrize('name', [name for name, grid in GRIDS.items() if grid.pages])
def test_pages_and_files_hold_the_figures_of_the_results(name):
    grid, folder = GRIDS[name], BENCHMARK / 'results' / name
    figures = study_figures(load_results(folder), grid.layout)
    tables = study_tables(figures, grid.layout)
    assert json.loads((folder / 'figures.json').read_text(encoding='utf-8')) == figures
    assert (folder / 'tables.md').read_text(encoding='utf-8') == '\n\n'.join(tables.values()) + '\n'
    for page in grid.pages:
        text = page.read_text(encoding='utf-8')
        assert fill_page(text, tables, name) == text
