"""The slim ST-GCN: its plan of blocks, its graph and its dropout."""

import pytest
import torch
from mmaction.registry import MODELS

from i2md_mmaction.models import SlimSTGCN
from i2md_mmaction.skeletons import get_layout


def build(**options):
    torch.manual_seed(0)
    model = SlimSTGCN(**options)
    model.init_weights()
    return model


def block_outputs(model, x):
    """What each block gives, (B * M, C, T, V)."""
    outputs = []
    hooks = [block.register_forward_hook(lambda *call: outputs.append(call[2])) for block in model.gcn]
    model(x)
    for hook in hooks:
        hook.remove()
    return outputs


@pytest.fixture
def view():
    return torch.randn(2, 2, 18, 25, 3, generator=torch.Generator().manual_seed(1))


def test_ten_blocks_widen_and_shorten_as_in_the_paper(view):
    shapes = [tuple(output.shape[1:3]) for output in block_outputs(build(), view)]
    assert shapes == [(16, 18)] * 4 + [(32, 9)] * 3 + [(64, 5)] * 2 + [(256, 5)]
    assert [block.tcn.conv.kernel_size for block in build().gcn] == [(9, 1)] * 10


@pytest.mark.parametrize('layout, joints', [('ntu25', 25), ('kinect20', 20)])
@pytest.mark.parametrize('frames, left', [(50, 13), (9, 3), (1, 1)])
def test_the_feature_map_has_a_quarter_of_the_frames(layout, joints, frames, left):
    model = MODELS.build(dict(type='SlimSTGCN', layout=layout, base_channels=4, embed_dims=24))
    assert model(torch.randn(3, 2, frames, joints, 3)).shape == (3, 2, 24, left, joints)
    assert model.embed_dims == 24 and build().embed_dims == 256


@pytest.mark.parametrize('name', ['ntu25', 'kinect20'])
def test_every_block_joins_a_joint_with_itself_and_its_bones_in_three_subsets(name):
    layout = get_layout(name)
    expected = torch.eye(layout.num_joints, dtype=torch.bool)
    for child, parent in layout.edges:
        expected[child, parent] = expected[parent, child] = True
    for block in build(layout=name).gcn:
        assert block.gcn.A.shape == (3, layout.num_joints, layout.num_joints)
        assert torch.equal((block.gcn.A != 0).any(dim=0), expected)
        assert ((block.gcn.A != 0).sum(dim=0) <= 1).all()


def test_every_block_learns_the_importance_of_its_own_edges_from_one(view):
    model = build()
    importance = [block.gcn.PA for block in model.gcn]
    assert all((own == 1).all() for own in importance) and len({id(own) for own in importance}) == 10
    model(view).square().sum().backward()
    for block in model.gcn:
        edges = block.gcn.A != 0
        assert block.gcn.PA.grad[edges].abs().max() > 0 and not block.gcn.PA.grad[~edges].any()


def test_an_edge_of_no_importance_carries_nothing(view):
    model = build().eval()
    moved = view.clone()
    moved[:, :, :, 3] += 1  # the head, whose only bone leads to the neck
    with torch.no_grad():
        assert not torch.allclose(model(view)[..., 2], model(moved)[..., 2])
        for block in model.gcn:
            block.gcn.PA[:, 3, 2] = 0
            block.gcn.PA[:, 2, 3] = 0
        one, two = model(view), model(moved)
    assert torch.equal(one[..., :3], two[..., :3]) and torch.equal(one[..., 4:], two[..., 4:])
    assert not torch.allclose(one[..., 3], two[..., 3])


def test_all_blocks_but_the_first_drop_out_in_training_only(view):
    model = build()
    assert [block.tcn.drop.p for block in model.gcn] == [0.0] + [0.5] * 9
    first, second = block_outputs(model, view), block_outputs(model, view)
    assert torch.equal(first[0], second[0])
    assert not any(torch.equal(a, b) for a, b in zip(first[1:], second[1:]))
    model.eval()
    assert torch.equal(model(view), model(view))


def test_dropout_can_be_turned_off(view):
    model = build(dropout=0.0)
    assert torch.equal(model(view), model(view))


def test_every_parameter_gets_a_gradient(view):
    model = build(base_channels=4, embed_dims=8, dropout=0.0)
    (model(view) * torch.randn(8, 5, 25)[None, None]).sum().backward()
    gradients = {name: value.grad for name, value in model.named_parameters()}
    assert not [name for name, gradient in gradients.items() if gradient is None]
    # What a bias in front of a BatchNorm gets is rounding.
    gradients = {name: value for name, value in gradients.items() if not name.endswith('conv.bias')}
    assert not [name for name, gradient in gradients.items() if gradient.abs().max() < 1e-6]
