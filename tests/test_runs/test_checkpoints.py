"""Checkpoints through the runner: whole at any moment, gone on from, and refused where they do not fit."""

import errno
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from i2md_mmaction.engine import DivergedError
from i2md_mmaction.evaluation import KNNAccuracy
from i2md_mmaction.models.checkpoints import CheckpointMismatch
from i2md_mmaction.protocols import downstream_config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def trained(tmp_path_factory, request):
    """Work dirs of tiny runs of three epochs, all of whose checkpoints are kept."""
    folder, made = tmp_path_factory.mktemp('trained'), {}

    def train(name, annotations, small_config, target):
        if name not in made:
            Runner.from_cfg(small_config(name, annotations, folder / name, epochs=3)).train()
            made[name] = folder / name
        shutil.copytree(made[name], target)
        # As a run leaves it: the name of a file in its own folder.
        (target / 'last_checkpoint').write_text(str(target / 'epoch_3.pth'))
        return target

    return train


@pytest.fixture
def run(trained, annotations, small_config, tmp_path):
    """Makes the work dir of a run of three epochs."""
    return lambda name='moco_demo': trained(name, annotations, small_config, tmp_path / f'run_{name}')


@pytest.mark.parametrize('kind, kills', [('stages', 25), ('random', 20)])
def test_a_run_that_is_killed_while_it_writes_can_go_on(kind, kills, tmp_path, annotations, small_config):
    options = dict(train_dataloader=dict(batch_size=4), resume=True, log_level='ERROR')
    options.update(model=dict(backbone=dict(hidden_channels=4, num_layers=1)))
    options.update(vis_backends=[], visualizer=dict(vis_backends=[]))
    options.update(default_hooks=dict(checkpoint=dict(max_keep_ckpts=1)))
    small_config('moco_demo', annotations, tmp_path, 2, **options).dump(tmp_path / 'config.py')
    script = Path(__file__).with_name('killed_runs.py')
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', str(script), kind, str(tmp_path), str(tmp_path / 'config.py')],
        capture_output=True,
        text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    assert len(re.findall('^(?:gone on from stage|killed) ', done.stdout, re.MULTILINE)) >= kills


def truncate(path):
    path.write_bytes(path.read_bytes()[:-200])


def resume(run, small_config, annotations, epochs=4):
    # MMEngine finds a logger by the name of the run and the second: two tests in one second would share it.
    options = dict(resume=True, experiment_name=run.parent.name)
    Runner.from_cfg(small_config('moco_demo', annotations, run, epochs, **options)).train()
    return '\n'.join(log.read_text() for log in sorted(run.glob('*/*.log')))


def test_a_broken_checkpoint_is_named_and_the_newest_whole_one_before_it_taken(
    run, small_config, annotations
):
    run = run()
    for epoch in (2, 3):
        truncate(run / f'epoch_{epoch}.pth')
    log = resume(run, small_config, annotations)
    for epoch in (2, 3):
        assert f'{run}/epoch_{epoch}.pth cannot be read' in log
    assert f'The run goes on from {run}/epoch_1.pth instead' in log and 'resumed epoch: 1, iter: 1' in log
    assert (run / 'epoch_4.pth').is_file()


def test_a_run_without_a_whole_checkpoint_is_not_begun_anew_in_silence(run, small_config, annotations):
    run = run()
    for epoch in (1, 2, 3):
        truncate(run / f'epoch_{epoch}.pth')
    with pytest.raises(CheckpointMismatch, match='epoch_1.pth cannot be read(.|\\n)*start without --resume'):
        resume(run, small_config, annotations)


@pytest.mark.parametrize('mark', ['', None, '/elsewhere/epoch_3.pth'])
def test_a_run_goes_on_whatever_became_of_the_name_of_its_last_checkpoint(
    mark, run, small_config, annotations
):
    run = run()
    (run / 'last_checkpoint').unlink()
    if mark is not None:
        (run / 'last_checkpoint').write_text(mark)
    assert 'resumed epoch: 3, iter: 3' in resume(run, small_config, annotations)


@pytest.mark.parametrize('mark', ['', None])
def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(
    mark, small_config, annotations, tmp_path
):
    run = tmp_path / 'run'
    run.mkdir()
    if mark is not None:
        (run / 'last_checkpoint').write_text(mark)
    log = resume(run, small_config, annotations, epochs=1)
    assert 'has no checkpoint to go on from: the run begins' in log and (run / 'epoch_1.pth').is_file()


@pytest.mark.parametrize('fails', ['the last checkpoint', 'the best one'])
def test_a_save_that_dies_half_way_leaves_the_checkpoints_before_it(
    fails, small_config, annotations, tmp_path, monkeypatch
):
    """One checkpoint is kept, and each validation is the best: both kinds are replaced in every epoch."""
    run, save, saves, better = tmp_path / 'run', torch.save, [], itertools.count()
    monkeypatch.setattr(KNNAccuracy, 'compute_metrics', lambda *_: dict(top1=float(next(better))))

    def train(epochs):
        config = small_config('moco_demo', annotations, run, epochs, resume=True)
        config.default_hooks.checkpoint.max_keep_ckpts = 1
        Runner.from_cfg(config).train()

    def save_half(checkpoint, file, *arguments, **options):
        save(checkpoint, file, *arguments, **options)
        saves.append(file)
        if len(saves) == (1 if fails == 'the last checkpoint' else 2):
            file.truncate(file.tell() // 2)
            raise OSError(errno.ENOSPC, 'No space left on device')

    train(2)
    with monkeypatch.context() as patch:
        patch.setattr(torch, 'save', save_half)
        with pytest.raises(OSError, match='No space left on device'):
            train(3)
    last = Path((run / 'last_checkpoint').read_text())
    assert last.name == ('epoch_2.pth' if fails == 'the last checkpoint' else 'epoch_3.pth')
    names = {path.name for path in run.glob('*.pth')}
    assert names == {last.name, 'best_knn_top1_epoch_2.pth'}
    for name in names:
        torch.load(run / name, weights_only=True)
    train(4)
    assert (run / 'epoch_4.pth').is_file() and (run / 'best_knn_top1_epoch_4.pth').is_file()


def test_a_full_disk_says_which_checkpoint_is_whole(small_config, annotations, tmp_path, monkeypatch):
    written, fsync = [], os.fsync

    def full(descriptor):
        written.append(descriptor)
        if len(written) > 4:
            raise OSError(errno.ENOSPC, 'No space left on device')
        fsync(descriptor)

    monkeypatch.setattr(os, 'fsync', full)
    config = small_config('moco_demo', annotations, tmp_path / 'run', 9)
    config.train_cfg.val_interval = 100
    said = 'No space left.*epoch_2.pth is whole: mend this and go on with --resume.*epoch_3.pth'
    with pytest.raises(OSError, match=said):
        Runner.from_cfg(config).train()
    assert sorted(path.name for path in (tmp_path / 'run').glob('*.pth')) == ['epoch_1.pth', 'epoch_2.pth']


def spoil(checkpoint, how):
    weights = checkpoint['state_dict']
    if how == 'half of it missing':
        checkpoint['state_dict'] = dict(list(weights.items())[::2])
    if how == 'foreign names':
        checkpoint['state_dict'] = {f'encoder_q.{name}': value for name, value in weights.items()}
    return checkpoint


UNFIT = ['of another method', 'half of it missing', 'foreign names']


@pytest.mark.parametrize('how', UNFIT)
@pytest.mark.parametrize('road', ['test', 'load_from', 'resume'])
def test_a_checkpoint_that_does_not_fit_is_refused_on_every_road(
    road, how, run, small_config, annotations, tmp_path
):
    source = run('i2md_demo' if how == 'of another method' else 'cmd_demo')
    path = source / 'epoch_3.pth'
    torch.save(spoil(torch.load(path, weights_only=True), how), path)
    options = dict(load_from=str(path), resume=road == 'resume')
    runner = Runner.from_cfg(small_config('cmd_demo', annotations, tmp_path / 'next', 4, **options))
    with pytest.raises(CheckpointMismatch) as error:
        runner.test() if road == 'test' else runner.train()
    lines = str(error.value).splitlines()
    assert lines[0] == f'{path} does not fit CMD:' and 2 < len(lines) < 7
    assert max(map(len, lines)) < 500
    kind = 'I2MD' if how == 'of another method' else 'CMD'
    assert f'came from: model {kind}, experiment {source.name[4:]}_' in lines[-1]
    assert not list((tmp_path / 'next').glob('*.pth'))


def classifier_of(pretraining, work_dir, **model):
    config = downstream_config(pretraining[1], 'finetune', ROOT / 'configs/downstream')
    config.merge_from_dict(
        dict(
            model=dict(pretrained=dict(checkpoint=str(pretraining[2])), **model),
            train_cfg=dict(max_epochs=1),
            default_hooks=dict(checkpoint=dict(interval=1)),
            work_dir=str(work_dir),
            experiment_name=f'finetune_{work_dir.name}',
            visualizer=dict(name=str(work_dir)),
        )
    )
    return config


def test_a_classifier_is_tested_only_under_its_own_encoder_and_stream(pretraining, tmp_path):
    trained = classifier_of(pretraining, tmp_path / 'trained', modality='bone')
    Runner.from_cfg(trained).train()
    path = tmp_path / 'trained/epoch_1.pth'

    def test(name, **model):
        config = classifier_of(pretraining, tmp_path / name, **model)
        config.load_from = str(path)
        return Runner.from_cfg(config).test()

    assert 'acc/top1' in test('same', modality='bone')
    with pytest.raises(CheckpointMismatch, match='does not fit SkeletonClassifier:\n  .*of another shape'):
        test('wider', modality='bone', backbone=dict(hidden_channels=8))
    # The weights would fit, and the number would be wrong.
    with pytest.raises(CheckpointMismatch, match="modality is 'bone' in the checkpoint and 'joint' in the"):
        test('other', modality='joint')


def test_mims_test_of_a_checkpoint_that_does_not_fit_fails(run, annotations, tmp_path):
    checkpoint = run('i2md_demo') / 'epoch_3.pth'
    files = [f'{part}_dataloader.dataset.ann_file={annotations}' for part in ('train', 'val', 'test')]
    options = ['test_dataloader.dataset.split=train', 'test_cfg.bank.split=train', *files]
    line = ['mim', 'test', 'mmaction2', str(ROOT / 'configs/cmd_demo.py'), '--gpus', '0']
    line += ['--checkpoint', str(checkpoint), '--work-dir', str(tmp_path / 'test'), '--cfg-options', *options]
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    done = subprocess.run(line, env={**os.environ, 'PATH': path}, capture_output=True, text=True)
    assert done.returncode != 0
    assert 'does not fit CMD:' in done.stderr and 'came from: model I2MD' in done.stderr
    assert 'knn/top1: ' not in done.stdout + done.stderr


def test_a_checkpoint_that_cannot_be_read_is_named_by_a_test_too(run, small_config, annotations, tmp_path):
    path = run() / 'epoch_3.pth'
    truncate(path)
    config = small_config('moco_demo', annotations, tmp_path / 'test', 1, load_from=str(path))
    with pytest.raises(CheckpointMismatch, match='epoch_3.pth cannot be read: '):
        Runner.from_cfg(config).test()


@pytest.mark.parametrize(
    'count, said',
    [
        (1, r'^1 weight is NaN or infinite at iteration \d+: streams\.bone\.query\.\S+; no checkpoint is'),
        (5, r'^5 weights are NaN or infinite at iteration \d+: streams\.bone\.query\.\S+, .* and 2 more; no'),
    ],
)
def test_weights_that_are_not_finite_are_not_written(count, said, run, small_config, annotations, tmp_path):
    runner = Runner.from_cfg(small_config('moco_demo', annotations, tmp_path / 'run', 1))
    runner.train()
    with torch.no_grad():
        for weight in list(runner.model.streams['bone'].query.parameters())[:count]:
            weight.view(-1)[0] = float('inf')
    with pytest.raises(DivergedError, match=said):
        runner.save_checkpoint(str(tmp_path), 'spoilt.pth')
    assert not (tmp_path / 'spoilt.pth').exists()


def test_a_classifiers_best_metric_is_checked_too(pretraining, tmp_path):
    config = classifier_of(pretraining, tmp_path / 'run')
    config.default_hooks.checkpoint.save_best = 'knn/top1'
    with pytest.raises(ValueError, match=r"it measures \['acc/mean1', 'acc/top1', 'acc/top5'\]"):
        Runner.from_cfg(config).train()
