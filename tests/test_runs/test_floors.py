"""The floors of 1-NN: measured as by hand, kept with the run, and drawn by every tool."""

import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from torch.nn import functional as F

from i2md_mmaction.evaluation.floors import knn_floors, read_floors
from i2md_mmaction.evaluation.inference import dataloaders, load_model
from i2md_mmaction.evaluation.run_page import run_panels
from i2md_mmaction.protocols.pictures import classes_of
from tools import plot_run


@pytest.fixture(scope='module')
def floors(pretraining):
    return knn_floors(Config.fromfile(pretraining[1]), seed=5)


def nearest_accuracy(queries, bank):
    """1-NN by cosine in float64, of lists of (feature, label)."""
    units = F.normalize(torch.stack([feature for feature, _ in bank]).double(), dim=1)
    right = [
        bank[int((units @ F.normalize(feature.double(), dim=0)).argmax())][1] == label
        for feature, label in queries
    ]
    return 100 * np.mean(right)


@torch.no_grad()
def test_floors_are_those_of_raw_joints_and_of_an_encoder_that_has_not_learnt(pretraining, floors):
    config = Config.fromfile(pretraining[1])
    model = load_model(config, seed=5)
    parts = {}
    for part, loader in dataloaders(config).items():
        dataset = DATASETS.build(loader['dataset'])
        parts[part] = dict(raw=[], joint=[])
        for packed in map(dataset.__getitem__, range(len(dataset))):
            sample = packed['data_samples']
            view = model.data_preprocessor(dict(inputs=[packed['inputs']], data_samples=[sample]))['inputs']
            joint = model.extract_feat(view, ['joint'])['joint'][0]
            for name, feature in (('raw', view.flatten()), ('joint', joint)):
                parts[part][name].append((feature, int(sample.gt_label)))
    expected = {
        name: nearest_accuracy(*(parts[part][name] for part in ('query', 'bank'))) for name in parts['bank']
    }
    assert floors['raw joints'] == {'top1': pytest.approx(expected['raw'])}
    assert floors['random encoder']['top1_joint'] == pytest.approx(expected['joint'])
    assert set(floors['random encoder']) == {'top1_joint', 'top1_bone', 'top1'}


@pytest.fixture
def run(pretraining, tmp_path):
    """What a run leaves: its config and its log."""
    folder = tmp_path / 'run' / '20260101_000000' / 'vis_data'
    folder.mkdir(parents=True)
    shutil.copy(pretraining[1], folder / 'config.py')
    (folder / 'scalars.json').write_text(json.dumps({'knn/top1': 50.0, 'step': 3}) + '\n')
    return tmp_path / 'run'


def floors_drawn(work_dir):
    """The level lines of the panel of 1-NN."""
    [panel] = [panel for panel in run_panels(work_dir) if '1-NN' in panel.title]
    return panel.levels


def test_a_run_keeps_its_floors_for_every_picture(run, capsys):
    plot_run.main([str(run)])
    assert floors_drawn(run) == {} and not (run / 'floors.json').exists()
    plot_run.main([str(run), '--floors'])
    printed = capsys.readouterr().out
    assert f'made {run / "floors.json"}' in printed and f'made {run / "run.png"}' in printed
    measured = knn_floors(Config.fromfile(next(run.glob('*/vis_data/config.py'))))
    expected = {name: accuracies['top1'] for name, accuracies in measured.items()}
    assert read_floors(run) == expected
    assert floors_drawn(run) == {f'{name} ({level:.1f} %)': level for name, level in expected.items()}


def test_floors_of_no_run_are_refused(tmp_path):
    with pytest.raises(SystemExit, match=f'error: no run under {tmp_path} has left its config'):
        plot_run.main([str(tmp_path), '--floors'])


def test_classes_of_joined_data_sets_are_named_from_their_offsets(pretraining, tmp_path):
    names = pickle.loads(pretraining[3].read_bytes())['class_names']
    own = dict(ann_file=str(pretraining[3]))
    assert classes_of(own) == names
    joined = dict(type='ConcatDataset', datasets=[own, dict(own, label_offset=6)])
    assert classes_of(dict(type='RepeatDataset', dataset=joined)) == [*names, 'class 4', 'class 5', *names]
    nameless = tmp_path / 'nameless.pkl'
    nameless.write_bytes(pickle.dumps(dict(annotations=[])))
    assert classes_of(dict(ann_file=str(nameless), layout='coco17')) is None
