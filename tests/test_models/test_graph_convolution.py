"""The graph convolution against mmaction2's, on the same parameters."""

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


def test_channels_lie_last_for_the_convolutions_that_follow():
    out = GraphConvolution(4, 8, torch.rand(3, 20, 20))(torch.randn(2, 4, 5, 20))
    assert out.is_contiguous(memory_format=torch.channels_last)
