"""The momentum copy against its formula in float64."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import nn

from i2md_mmaction.models.encoder import MomentumStream, SkeletonEncoder

BIGRU = dict(type='BiGRU', hidden_channels=4, num_layers=1)
PROJECTOR = dict(type='ProjectionHead', out_channels=6)
ENCODER = dict(type='SkeletonEncoder', backbone=BIGRU, projector=PROJECTOR)


@pytest.fixture
def stream():
    torch.manual_seed(0)
    stream = MomentumStream(ENCODER)
    stream.init_weights()
    return stream


@pytest.fixture
def view():
    return torch.randn(3, 2, 5, 25, 3, generator=torch.Generator().manual_seed(1))


def disturb(module):
    """Moves all parameters and buffers somewhere else."""
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.copy_(torch.randn(tensor.shape))


def test_the_key_encoder_starts_equal_to_the_query_encoder(stream):
    query, key = stream.query.state_dict(), stream.key.state_dict()
    assert list(query) == list(key)
    assert all(torch.equal(query[name], key[name]) for name in query)
    assert not {id(p) for p in stream.query.parameters()} & {id(p) for p in stream.key.parameters()}


def test_the_key_moves_by_m_key_plus_one_minus_m_query(stream):
    disturb(stream.query)
    expected = [
        0.9 * key.double() + (1 - 0.9) * query.double()
        for key, query in zip(stream.key.parameters(), stream.query.parameters())
    ]
    before = [query.clone() for query in stream.query.parameters()]
    stream.update_key(0.9)
    for key, value in zip(stream.key.parameters(), expected):
        torch.testing.assert_close(key.double(), value, atol=1e-6, rtol=1e-6)
    assert all(torch.equal(query, old) for query, old in zip(stream.query.parameters(), before))


@pytest.mark.parametrize('momentum, share', [(0.0, 0.0), (1.0, 1.0), (0.999, 0.999)])
def test_momentum_is_the_share_of_the_key_that_stays(momentum, share):
    stream = MomentumStream(ENCODER)
    with torch.no_grad():
        for query, key in zip(stream.query.parameters(), stream.key.parameters()):
            query.fill_(0)
            key.fill_(1)
    stream.update_key(momentum)
    for key in stream.key.parameters():
        torch.testing.assert_close(key, torch.full_like(key, share), atol=1e-6, rtol=0)


def test_an_update_leaves_the_buffers_of_the_key_encoder_alone(stream):
    disturb(stream.query)
    before = [buffer.clone() for buffer in stream.key.buffers()]
    stream.update_key(0.9)
    assert len(before) == 4  # parents of the joints; mean, variance and batches of the BatchNorm
    assert all(torch.equal(buffer, old) for buffer, old in zip(stream.key.buffers(), before))


def test_the_key_encoder_has_batch_statistics_of_its_own(stream, view):
    stream.train()
    stream.embed_key(view)
    assert stream.key.backbone.input_norm.num_batches_tracked == 1
    assert stream.query.backbone.input_norm.num_batches_tracked == 0


def test_no_gradient_reaches_the_key(stream, view):
    key, query = stream.embed_key(view), stream(view)
    assert not key.embedding.requires_grad and not key.hidden.requires_grad
    (query.embedding * key.embedding).sum().backward()
    assert all(parameter.grad is None for parameter in stream.key.parameters())
    assert all(parameter.grad is not None for parameter in stream.query.parameters())
    assert not any(parameter.requires_grad for parameter in stream.key.parameters())


def test_query_and_key_embed_alike_while_equal(stream, view):
    stream.eval()
    for query, key in zip(stream(view), stream.embed_key(view)):
        torch.testing.assert_close(query, key)


def test_embeddings_have_unit_length_also_under_autocast(stream, view):
    for enabled in (False, True):
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            unit = stream(view).embedding
        assert unit.dtype == torch.float32 and unit.shape == (3, 6)
        torch.testing.assert_close(unit.norm(dim=1), torch.ones(3))


def test_a_stream_sees_its_own_modality(view):
    stream = MomentumStream(dict(ENCODER, modality='motion')).eval()
    still = view[:, :, :1].expand_as(view)
    assert torch.equal(stream(still).hidden, stream(still * 0).hidden)
    assert not torch.allclose(stream(view).hidden, stream(still).hidden)


def test_a_feature_map_of_mmaction2_is_averaged_over_persons_frames_and_joints(view):
    graph = dict(layout='nturgb+d', mode='stgcn_spatial')
    backbone = dict(type='STGCN', graph_cfg=graph, base_channels=8, num_stages=2)
    encoder = SkeletonEncoder(backbone, dict(PROJECTOR, in_channels=8)).eval()
    feature = encoder.backbone(view)  # (B, M, C, T, V)
    expected = torch.stack([feature[:, :, channel].flatten(1).mean(dim=1) for channel in range(8)], dim=1)
    torch.testing.assert_close(encoder(view).hidden, expected)


def test_a_backbone_whose_width_is_nowhere_named_is_refused():
    @MODELS.register_module(force=True)
    class WidthlessBackbone(BaseModule):
        """Has no embed_dims."""

    with pytest.raises(ValueError, match=r'WidthlessBackbone has no embed_dims; give .*in_channels'):
        SkeletonEncoder(dict(type='WidthlessBackbone'), PROJECTOR)
    MODELS.module_dict.pop('WidthlessBackbone')


def test_initialising_draws_matrices_xavier_uniformly(stream):
    for matrix in (parameter for parameter in stream.query.parameters() if parameter.dim() > 1):
        bound = (6 / sum(matrix.shape)) ** 0.5
        assert 0.8 * bound < matrix.abs().max() <= bound
    assert isinstance(stream.query.projector.layers[1], nn.ReLU)
