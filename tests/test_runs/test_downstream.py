"""Downstream configs through the runner and mmaction2's tools; their numbers are the papers'."""

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.runner import Runner

from i2md_mmaction.datasets import select_subset
from i2md_mmaction.models.checkpoints import CheckpointMismatch
from i2md_mmaction.protocols import downstream_config
from tools import downstream_config as tool

ROOT = Path(__file__).parents[2]
DOWNSTREAM = ROOT / 'configs/downstream'
PROTOCOLS = sorted(path.stem for path in DOWNSTREAM.glob('*.py'))
SOURCES = ('cmd', 'i2md', 'aimclr')
SETS = ('ntu60', 'ntu60_xview', 'ntu120_xsub', 'ntu120_xset', 'pku2_xsub', 'nwucla')
NARROW = dict(
    cmd=dict(hidden_channels=4),
    i2md=dict(gcn_channels=4, embed_dims=8, depth=1, num_heads=2, feedforward_channels=8),
    aimclr=dict(base_channels=4, embed_dims=8),
)


def small(protocol, pretraining, work_dir, epochs=2, **options):
    """A config of a protocol for a few steps; a batch of 8 is about half of the demo's training split."""
    _, config_file, checkpoint, _ = pretraining
    config = downstream_config(config_file, protocol, DOWNSTREAM)
    config.merge_from_dict(
        dict(
            model=dict(pretrained=dict(checkpoint=str(checkpoint))),
            train_dataloader=dict(batch_size=8),
            train_cfg=dict(max_epochs=epochs, val_interval=1),
            default_hooks=dict(checkpoint=dict(interval=1), logger=dict(interval=1)),
            work_dir=str(work_dir),
            experiment_name=f'{protocol}_{work_dir.name}_{uuid4().hex[:8]}',
            vis_backends=[dict(type='LocalVisBackend')],
            visualizer=dict(vis_backends=[dict(type='LocalVisBackend')], name=str(work_dir)),
        )
    )
    config.merge_from_dict(options)
    return config


def backbone_of(path, prefix='backbone.backbone.'):
    weights = torch.load(path, weights_only=True)['state_dict']
    return {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}


@pytest.mark.parametrize('stream', ['joint', 'bone'])
def test_a_frozen_backbone_leaves_the_runner_bit_identical(stream, pretraining, tmp_path):
    config = small('linear', pretraining, tmp_path / stream, model=dict(modality=stream))
    config.model.pretrained.checkpoint = str(pretraining[2])
    runner = Runner.from_cfg(config)
    runner.train()
    before = backbone_of(pretraining[2], f'streams.{stream}.query.backbone.')
    after = backbone_of(tmp_path / stream / 'epoch_2.pth')
    assert before.keys() == after.keys() and any('running_var' in name for name in before)
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    moved = {id(parameter) for parameter in runner.optim_wrapper.optimizer.state}
    assert moved == {id(parameter) for parameter in runner.model.cls_head.parameters()}
    assert list((tmp_path / stream).glob('best_acc_top1_epoch_*.pth'))


def test_fine_tuning_moves_the_backbone_and_its_statistics(pretraining, tmp_path):
    Runner.from_cfg(small('finetune', pretraining, tmp_path / 'run', epochs=1)).train()
    before = backbone_of(pretraining[2], 'streams.joint.query.backbone.')
    after = backbone_of(tmp_path / 'run/epoch_1.pth')
    assert all(not torch.equal(value, after[name]) for name, value in before.items())


def test_a_semi_supervised_run_saves_its_samples_and_repeats_them(pretraining, tmp_path):
    records = []
    for run in ('a', 'b'):
        config = small('semi_20', pretraining, tmp_path / run, epochs=1)
        Runner.from_cfg(config).train()
        records.append(json.loads((tmp_path / run / 'subset.json').read_text()))
    assert records[0] == records[1] and records[0]['fraction'] == 0.2 and records[0]['seed'] == 0
    content = pickle.loads(pretraining[3].read_bytes())
    split = set(content['split'][config.train_dataloader.dataset.split])
    annotations = [entry for entry in content['annotations'] if entry['frame_dir'] in split]
    places = select_subset([entry['label'] for entry in annotations], 0.2)
    assert records[0]['names'] == [annotations[place]['frame_dir'] for place in places]
    assert len(records[0]['per_class']) == 4


def test_a_transfer_to_twenty_joints_is_refused_and_to_another_25_joint_set_works(pretraining, tmp_path):
    config = small('transfer', pretraining, tmp_path / 'refused')
    content = pickle.loads(pretraining[3].read_bytes())
    for annotation in content['annotations']:
        annotation['keypoint'] = annotation['keypoint'][:, :, :20]
        annotation['label'] %= 3
    (tmp_path / 'twenty.pkl').write_bytes(pickle.dumps(content))
    for part in ('train', 'val', 'test'):
        dataset = config[f'{part}_dataloader'].dataset
        dataset.update(ann_file=str(tmp_path / 'twenty.pkl'), layout='kinect20', num_classes=3)
    config.model.layout = 'kinect20'
    with pytest.raises(CheckpointMismatch, match="pre-trained on layout 'ntu25', .* built for 'kinect20'"):
        Runner.from_cfg(config).train()

    config = small('transfer', pretraining, tmp_path / 'accepted', epochs=1)
    content = pickle.loads(pretraining[3].read_bytes())
    for annotation in content['annotations']:
        annotation['label'] %= 3
    (tmp_path / 'other.pkl').write_bytes(pickle.dumps(content))
    for part in ('train', 'val', 'test'):
        config[f'{part}_dataloader'].dataset.update(ann_file=str(tmp_path / 'other.pkl'), num_classes=3)
    config.model.cls_head.num_classes = 3
    Runner.from_cfg(config).train()
    assert (tmp_path / 'accepted/epoch_1.pth').is_file()


def test_a_run_without_a_checkpoint_says_how_to_name_one(pretraining, tmp_path):
    config = small('linear', pretraining, tmp_path / 'run')
    config.model.pretrained.checkpoint = None
    with pytest.raises(ValueError, match='add --cfg-options model.pretrained.checkpoint=FILE'):
        Runner.from_cfg(config).train()


def test_mim_trains_and_tests_a_linear_classifier(pretraining, tmp_path, capsys):
    _, config_file, checkpoint, _ = pretraining
    file = tmp_path / 'linear.py'
    line = ['linear', str(config_file), str(checkpoint), '--stream', 'bone', '--out', str(file)]
    tool.main([*line, '--cfg-options', 'train_cfg.max_epochs=1'])
    assert f'mim train mmaction2 {file}' in capsys.readouterr().out
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'

    def mim(command, *arguments):
        line = ['mim', command, 'mmaction2', str(file), *arguments, '--gpus', '0']
        done = subprocess.run(line, env={**os.environ, 'PATH': path}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout + done.stderr

    mim('train', '--work-dir', str(tmp_path / 'run'))
    last = tmp_path / 'run' / 'epoch_1.pth'
    kept, pretrained = backbone_of(last), backbone_of(checkpoint, 'streams.bone.query.backbone.')
    assert kept.keys() == pretrained.keys() and all(
        torch.equal(kept[name], pretrained[name]) for name in kept
    )
    dump = ['--work-dir', str(tmp_path), '--dump', str(tmp_path / 'dump.pkl')]
    log = mim('test', '--checkpoint', str(last), *dump)
    top1 = float(re.search(r'acc/top1: ([\d.]+)', log)[1])
    dumped = pickle.loads((tmp_path / 'dump.pkl').read_bytes())
    right = [int(sample['pred_score'].argmax()) == int(sample['gt_label']) for sample in dumped]
    assert top1 == pytest.approx(sum(right) / len(right), abs=1e-4)


def test_the_tool_writes_the_floor_by_name_only_and_says_in_a_line_what_cannot_be(pretraining, tmp_path):
    file = tmp_path / 'floor.py'
    tool.main(['finetune', str(pretraining[1]), 'random', '--out', str(file)])
    assert Config.fromfile(file).model.pretrained is None
    with pytest.raises(SystemExit, match="error: there is no protocol 'liner'"):
        tool.main(['liner', str(pretraining[1]), 'random'])


@pytest.mark.parametrize('name', [f'{source}_{dataset}' for source in SOURCES for dataset in SETS])
def test_every_encoder_and_data_set_is_served_by_every_protocol(name):
    """Builds each classifier narrow and compares what config and pre-training config share."""
    source = name.split('_')[0]
    for protocol in PROTOCOLS:
        config = downstream_config(ROOT / f'configs/{name}.py', protocol, DOWNSTREAM)
        train, test = config.train_dataloader.dataset, config.test_dataloader.dataset
        assert test.split == train.split.replace('train', 'val') and train.pipeline == test.pipeline
        assert config.model.cls_head.num_classes == train.num_classes
        assert config.model.get('layout') == train.get('layout')
        assert config.model.get('num_persons') == train.get('num_persons')
        hooks = {hook.type for hook in config.default_hooks.values()}
        assert not hooks & {'MoCoMemoryHook', 'PretrainStageHook'} and 'RunCheckHook' in hooks
        assert config.test_cfg.type == 'SkeletonTestLoop' and config.test_evaluator.type == 'AccMetric'
        assert config.work_dir == f'./work_dirs/{protocol}_{name}'
    config.model.backbone.update(NARROW[source])
    model = MODELS.build(config.model)
    assert len(model.data_preprocessor.train_views) == 1
    views = torch.randn(2, train.get('num_persons', 2), 32, model.data_preprocessor.num_joints, 3)
    assert model.eval()(views, stage='head').shape == (2, train.num_classes)


def test_the_numbers_are_those_of_the_papers():
    found = {}
    for protocol in PROTOCOLS:
        config = downstream_config(ROOT / 'configs/i2md_ntu60.py', protocol, DOWNSTREAM)
        optimizer, schedule = config.optim_wrapper.optimizer, config.param_scheduler[0]
        assert optimizer.type == 'SGD' and optimizer.momentum == 0.9 and optimizer.weight_decay == 0
        epochs, batch = config.train_cfg.max_epochs, config.train_dataloader.batch_size
        found[protocol] = (epochs, optimizer.lr, schedule.milestones, batch, config.model['freeze'])
        train_views = config.model.data_preprocessor.train_views
        if protocol == 'linear_aimclr':
            assert train_views is None
        else:
            crop = train_views[0][0]
            assert (crop.type, crop.ratio, crop.min_frames) == ('TemporalCropResize', (0.5, 1.0), 64)
        assert config.model.data_preprocessor.test_view[0].ratio == 0.95
    assert found == {
        'linear': (80, 0.1, [50, 70], 64, True),
        'linear_aimclr': (100, 3.0, [80], 128, True),
        'finetune': (80, 0.01, [50, 70], 64, False),
        'transfer': (80, 0.01, [50], 64, False),
        **{f'semi_{percent}': (80, 0.01, [50, 70], 64, False) for percent in (1, 5, 10, 20)},
    }


@pytest.mark.parametrize('percent', [1, 5, 10, 20])
def test_a_semi_supervised_config_trains_on_its_share_and_tests_on_all(percent, pretraining):
    config = downstream_config(pretraining[1], f'semi_{percent}', DOWNSTREAM)
    train, test = config.train_dataloader.dataset, config.test_dataloader.dataset
    assert train.subset == dict(fraction=percent / 100, balance='uniform', seed=0)
    assert 'subset' not in test
    whole = len(DATASETS.build({**train, 'subset': None}))
    assert (
        max(4, round(whole * percent / 100)) <= len(DATASETS.build(train)) <= round(whole * percent / 100) + 4
    )


def test_an_unknown_protocol_is_refused(pretraining):
    with pytest.raises(ValueError, match="no protocol 'liner'; choose of .*'linear'"):
        downstream_config(pretraining[1], 'liner', DOWNSTREAM)
