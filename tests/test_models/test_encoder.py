"""The encoder step by step, and its momentum copy against the formula in float64."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import nn

from i2md_mmaction.models.encoder import MomentumStream, SkeletonEncoder
from i2md_mmaction.skeletons import get_layout

BIGRU = dict(type='BiGRU', hidden_channels=4, num_layers=1)
PROJECTOR = dict(type='ProjectionHead', out_channels=6)
ENCODER = dict(type='SkeletonEncoder', backbone=BIGRU, projector=PROJECTOR)
#: A projector that is told the width of the feature.
WIDE = dict(PROJECTOR, in_channels=8)
KINECT = dict(layout='kinect20', num_persons=1)
TRANSFORMER = dict(type='GCNTransformer', gcn_channels=4, embed_dims=8, depth=1, num_heads=2)
GRAPH = dict(layout=get_layout('kinect20').graph_layout(), mode='stgcn_spatial')
BACKBONES = dict(
    BiGRU=BIGRU,
    GCNTransformer=dict(TRANSFORMER, feedforward_channels=12, num_frames=12),
    SlimSTGCN=dict(type='SlimSTGCN', base_channels=4, embed_dims=8),
    STGCN=dict(type='STGCN', graph_cfg=GRAPH, base_channels=8, num_stages=2),
)


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


@pytest.fixture
def widthless():
    """A registered backbone that pools by itself and names no embed_dims."""

    @MODELS.register_module(force=True)
    class WidthlessBackbone(BaseModule):
        """Gives the mean position of each joint."""

        def forward(self, x):
            return x.mean(dim=(1, 2)).flatten(1)

    yield dict(type='WidthlessBackbone')
    MODELS.module_dict.pop('WidthlessBackbone')


def test_the_tokens_of_a_backbone_that_pools_by_itself_are_its_feature(widthless, small_view):
    encoder = SkeletonEncoder(widthless, **KINECT, embed_dims=60)
    expected = small_view.mean(dim=(1, 2)).flatten(1)
    assert torch.equal(encoder.tokens(small_view), expected)
    assert torch.equal(encoder.extract(small_view), expected)


def test_an_encoder_without_a_projector_gives_features_and_says_that_it_has_no_embedding(view):
    encoder = SkeletonEncoder(BIGRU)
    assert encoder.extract(view).shape == (3, 8)
    with pytest.raises(TypeError, match=r'no projector; take extract\(\) or tokens\(\)'):
        encoder(view)


def test_a_backbone_whose_width_is_nowhere_named_is_refused(widthless):
    with pytest.raises(
        ValueError, match='WidthlessBackbone has no embed_dims; give .* as in_channels of the projector'
    ):
        SkeletonEncoder(widthless, PROJECTOR)


def test_initialising_draws_matrices_xavier_uniformly(stream):
    for matrix in (parameter for parameter in stream.query.parameters() if parameter.dim() > 1):
        bound = (6 / sum(matrix.shape)) ** 0.5
        assert 0.8 * bound < matrix.abs().max() <= bound
    assert isinstance(stream.query.projector.layers[1], nn.ReLU)


def build(backbone, **options):
    """A small encoder for 'kinect20' and one person, in eval mode so that it is repeatable."""
    torch.manual_seed(0)
    config = dict(type='SkeletonEncoder', backbone=dict(BACKBONES[backbone]), projector=PROJECTOR)
    return MODELS.build({**config, **KINECT, **options}).eval()


@pytest.fixture
def small_view():
    return torch.randn(3, 1, 12, 20, 3, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(
    'backbone, shape',
    [('BiGRU', (3, 12, 8)), ('GCNTransformer', (3, 12, 8)), ('SlimSTGCN', (3, 1, 8, 3, 20))],
)
def test_tokens_are_of_each_frame_or_of_the_whole_map(backbone, shape, small_view):
    encoder = build(backbone)
    assert encoder.tokens(small_view).shape == shape
    assert encoder.extract(small_view).shape == (3, encoder.embed_dims) == (3, 8)


@pytest.mark.parametrize('modality', ['joint', 'bone'])
@pytest.mark.parametrize('backbone', ['BiGRU', 'GCNTransformer', 'SlimSTGCN'])
def test_pooled_tokens_are_the_extracted_feature_and_that_is_what_the_backbone_gives(
    backbone, modality, small_view
):
    encoder = build(backbone, modality=modality)
    feature = encoder.extract(small_view)
    assert torch.equal(encoder.pool(encoder.tokens(small_view)), feature)
    given = encoder.backbone(encoder.modality(small_view))
    torch.testing.assert_close(given if given.dim() == 2 else given.mean(dim=(1, 3, 4)), feature)
    embedded = encoder(small_view)
    assert torch.equal(embedded.hidden, feature)
    assert torch.equal(embedded.embedding, encoder.projector(feature))
    assert torch.equal(encoder.project(feature).embedding, embedded.embedding)


def test_the_feature_of_a_gru_is_its_last_token_and_that_of_a_transformer_their_mean(small_view):
    for backbone, pooled in (
        ('BiGRU', lambda tokens: tokens[-1]),
        ('GCNTransformer', lambda tokens: sum(tokens) / len(tokens)),
    ):
        encoder = build(backbone)
        tokens = encoder.tokens(small_view)
        assert not torch.allclose(tokens[:, 0], tokens[:, -1], atol=1e-3)
        for feature, own in zip(encoder.extract(small_view).double(), tokens.double()):
            torch.testing.assert_close(feature, pooled(list(own)), atol=1e-6, rtol=0)


def test_an_encoder_hands_layout_and_persons_to_its_backbone_and_refuses_another():
    assert build('BiGRU').backbone.input_norm.num_features == 20 * 1 * 3
    with pytest.raises(ValueError, match="BiGRU is given layout='ntu25', but .* layout='kinect20'"):
        MODELS.build(dict(ENCODER, backbone=dict(BIGRU, layout='ntu25'), **KINECT))


@pytest.mark.parametrize(
    'options', [dict(embed_dims=8), dict(projector=None, embed_dims=8), dict(projector=WIDE)]
)
def test_the_width_of_a_backbone_that_names_none_is_given(options, small_view):
    encoder = build('STGCN', **options)
    assert not hasattr(encoder.backbone, 'embed_dims')
    assert encoder.embed_dims == encoder.extract(small_view).size(1) == 8
    if encoder.projector is not None:
        assert encoder(small_view).embedding.shape == (3, 6)


@pytest.mark.parametrize('backbone', ['BiGRU', 'GCNTransformer', 'SlimSTGCN'])
def test_a_backbone_that_names_its_width_gives_it_to_encoder_and_projector(backbone):
    encoder = build(backbone)
    assert encoder.embed_dims == encoder.projector.layers[0].in_features == 8
