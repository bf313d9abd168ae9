"""The graph convolution against mmaction2's, on the same parameters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmaction.models.utils import unit_gcn

from i2md_mmaction.models.backbones.graph_convolution import GraphConvolution
from i2md_mmaction.skeletons import get_layout


@pytest.mark.parametrize('channels', [(3, 16), (8, 8), (4, 32)])
@pytest.mark.parametrize('training', [True, False])
def test_values_and_gradients_are_those_of_mmaction2(channels, training):
    torch.manual_seed(0)
    joints = get_layout('ntu25').num_joints
    released = unit_gcn(*channels, torch.rand(3, joints, joints)).double().train(training)
    torch.nn.init.uniform_(released.PA)
    own = GraphConvolution(*channels, released.A).double().train(training)
    own.load_state_dict(released.state_dict())
    results = []
    for layer in (released, own):
        x = torch.randn(4, channels[0], 6, joints, generator=torch.Generator().manual_seed(1)).double()
        x.requires_grad_()
        out = layer(x)
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=out.dtype)
        out.backward(gradient=weights)
        gradients = [parameter.grad for parameter in layer.parameters()]
        results.append([out, x.grad, *gradients, *layer.bn.buffers()])
    for expected, value in zip(*results):
        torch.testing.assert_close(value, expected)


@pytest.mark.parametrize('width, last', [(8, False), (15, False), (16, True), (24, True)])
def test_channels_lie_last_where_that_is_safe_for_the_convolutions_that_follow(width, last):
    out = GraphConvolution(4, width, torch.rand(3, 20, 20))(torch.randn(2, 4, 5, 20))
    assert out.is_contiguous(memory_format=torch.channels_last) == last
    assert out.is_contiguous() != last


def test_narrow_blocks_train_as_contiguous_ones_in_float64_on_any_processor():
    """In a process of its own: what goes wrong here is memory, and takes the process with it."""
    script = Path(__file__).with_name('narrow_blocks.py')
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 0, f'exit status {done.returncode}\n{done.stdout}{done.stderr[-2000:]}'
    shapes = done.stdout.splitlines()
    assert len(shapes) == 5 * 2 * 2 and not [line for line in shapes if not line.endswith('same')]
