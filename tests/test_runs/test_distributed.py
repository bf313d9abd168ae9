"""Two processes (gloo) against one on the same global batch, with BatchNorm over the samples of both.

On a GPU that is torch's SyncBatchNorm, elsewhere a stand-in: see distributed_norm.py.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name('distributed_steps.py')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('distributed')
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    done = subprocess.run([*command, SCRIPT, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(params=['cmd', 'i2md', 'aimclr'])
def states(request, folder):
    names = [f'{request.param}.{part}' for part in ('1.0', '2.0', '2.1')]
    return [torch.load(folder / name, map_location='cpu', weights_only=True) for name in names]


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
            torch.testing.assert_close(two['weights'][name], value, rtol=0, atol=1e-12)


def test_the_mean_loss_of_two_processes_is_that_of_one(states):
    one, first, second = states
    torch.testing.assert_close((first['losses'] + second['losses']) / 2, one['losses'], rtol=0, atol=1e-5)


def test_two_processes_train_the_same_weights_as_one(states):
    one, first, second = states
    for name, value in one['weights'].items():
        assert torch.equal(first['weights'][name], second['weights'][name]), name
        torch.testing.assert_close(first['weights'][name], value, rtol=0, atol=1e-12)
