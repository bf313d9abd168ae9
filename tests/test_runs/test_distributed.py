"""Two processes (gloo) against one on the same global batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name('distributed_steps.py')


@pytest.fixture(scope='module', params=['cmd', 'i2md'])
def states(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp('distributed')
    launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    alone = {key: value for key, value in os.environ.items() if key != 'WORLD_SIZE'}
    for name, arguments in (('one', []), ('two', launcher)):
        command = [sys.executable, *arguments, str(SCRIPT), request.param, str(folder / name)]
        subprocess.run(command, check=True, env=alone)
    return [torch.load(folder / name, weights_only=True) for name in ('one.0', 'two.0', 'two.1')]


def test_bank_and_pointer_are_identical_on_both_ranks(states):
    _, first, second = states
    for name, value in first['weights'].items():
        if name.startswith('bank.'):
            assert torch.equal(value, second['weights'][name]), name
    assert int(first['weights']['bank.pointer']) == 3 * 8 % 20


def test_two_processes_fill_the_bank_as_one_does(states):
    one, two, _ = states
    for name, value in one['weights'].items():
        if name.startswith('bank.'):
            torch.testing.assert_close(two['weights'][name], value, rtol=0, atol=1e-5)


def test_the_mean_loss_of_two_processes_is_that_of_one(states):
    one, first, second = states
    torch.testing.assert_close((first['losses'] + second['losses']) / 2, one['losses'], rtol=0, atol=1e-5)


def test_two_processes_train_the_same_weights_as_one(states):
    one, first, second = states
    for name, value in one['weights'].items():
        assert torch.equal(first['weights'][name], second['weights'][name]), name
        torch.testing.assert_close(first['weights'][name], value, rtol=0, atol=1e-5)


def test_two_processes_write_one_set_of_checkpoints_and_go_on_from_it(tmp_path, tiny_dataset, small_config):
    """Through the runner, hooks and all; three batches a process make no whole number of steps of two."""
    annotations, work_dir = tiny_dataset(tmp_path / 'tiny.pkl', samples=12), tmp_path / 'run'
    config = small_config(
        'cmd_demo',
        annotations,
        work_dir,
        epochs=2,
        train_dataloader=dict(batch_size=2),
        default_hooks=dict(checkpoint=dict(max_keep_ckpts=1)),
        optim_wrapper=dict(accumulative_counts=2),
        model_wrapper_cfg=dict(type='MMDistributedDataParallel', device_ids=None),
        sync_bn=None,  # torch has it on GPUs only
        launcher='pytorch',
        resume=True,
    )
    config.dump(tmp_path / 'config.py')
    launcher = [sys.executable, '-W', 'ignore', '-m', 'torch.distributed.run', '--standalone']
    launcher += ['--nproc_per_node=2']
    script = Path(__file__).with_name('distributed_run.py')
    alone = {key: value for key, value in os.environ.items() if key != 'WORLD_SIZE'}
    for epochs in (2, 3):
        command = [*launcher, str(script), str(tmp_path / 'config.py'), str(epochs)]
        done = subprocess.run(command, env=alone, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert f'rank 1: epoch {epochs}, bank 20' in done.stdout
        assert [path.name for path in work_dir.glob('epoch_*.pth')] == [f'epoch_{epochs}.pth']
        assert len(list(work_dir.glob('best_*.pth'))) == 1
        first, second = (json.loads((work_dir / f'rank{rank}.json').read_text()) for rank in (0, 1))
        trained = [name for name in first if 'running' not in name and 'tracked' not in name]
        assert len(trained) > 20 and all(first[name] == second[name] for name in trained)
    assert 'resumed epoch: 2' in '\n'.join(log.read_text() for log in work_dir.glob('*/*.log'))
