"""Backbones against a GRU stepped frame by frame and attention written out in float64."""

import pytest
import torch
from mmaction.registry import MODELS
from torch import nn

from i2md_mmaction.models import BiGRU, GCNTransformer
from i2md_mmaction.models.backbones.gcn_transformer import Attention, NeighborAttentionLayer
from tools.benchmark.measure import peak_bytes

TINY = dict(gcn_channels=4, gcn_layers=2, embed_dims=8, depth=2, num_heads=2, feedforward_channels=12)


def skeletons(batch=3, persons=2, frames=6, joints=25, seed=0):
    return torch.randn(batch, persons, frames, joints, 3, generator=torch.Generator().manual_seed(seed))


def encoded(transformer, tokens, *neighbors):
    """The feature of tokens, by themselves or beside neighbours."""
    return transformer.pool(transformer.attend(tokens, *neighbors))


@pytest.fixture
def transformer():
    torch.manual_seed(0)
    return GCNTransformer(num_frames=6, **TINY).eval()


@pytest.fixture
def tokens(transformer):
    return transformer.tokenize(skeletons()).detach()


@pytest.fixture
def neighbors():
    return torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))


def normed(norm, x):
    """Layer normalisation (T, E) in float64."""
    centred = x - x.mean(dim=1, keepdim=True)
    unit = centred / (centred.square().mean(dim=1, keepdim=True) + norm.eps).sqrt()
    return unit * norm.weight.double() + norm.bias.double()


def attended(attention, query, context):
    """Multi-head attention of (T, E) to (K, E), a head and a query at a time, in float64."""
    weights, biases = attention.in_proj_weight.double().chunk(3), attention.in_proj_bias.double().chunk(3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, context, context), weights, biases))
    width = q.size(1) // attention.num_heads
    rows = []
    for row in q:
        heads = []
        for start in range(0, q.size(1), width):
            part = slice(start, start + width)
            odds = torch.stack([torch.exp(row[part] @ key[part] / width**0.5) for key in k])
            heads.append(sum(p * value[part] for p, value in zip(odds / odds.sum(), v)))
        rows.append(torch.cat(heads))
    out = attention.out_proj
    return torch.stack(rows) @ out.weight.double().T + out.bias.double()


def test_a_layer_attends_to_frames_then_neighbors_then_feeds_forward(neighbors):
    torch.manual_seed(0)
    layer = NeighborAttentionLayer(8, 2, 12)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    tokens = torch.randn(3, 6, 8)
    first, _, last = layer.feedforward
    for sample, context, result in zip(tokens, neighbors, layer(tokens, neighbors)):
        x = sample.double()
        frames = normed(layer.norm_self, x)
        x = x + attended(layer.self_attention, frames, frames)
        x = x + attended(layer.cross_attention, normed(layer.norm_cross, x), context.double())
        hidden = normed(layer.norm_feedforward, x) @ first.weight.double().T + first.bias.double()
        hidden = hidden * (1 + torch.erf(hidden / 2**0.5)) / 2  # GELU
        x = x + hidden @ last.weight.double().T + last.bias.double()
        torch.testing.assert_close(result.double(), x, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(
    'layout, joints, persons', [('ntu25', 25, 2), ('kinect20', 20, 1), ('coco17', 17, 2)]
)
def test_every_backbone_maps_any_layout_to_its_embed_dims(layout, joints, persons):
    shape = dict(layout=layout, num_persons=persons)
    for config in (
        dict(type='GCNTransformer', **TINY, **shape),
        dict(type='BiGRU', hidden_channels=4, **shape),
        dict(type='BiGRU', hidden_channels=4, reverse_time=True, **shape),
    ):
        backbone = MODELS.build(config)
        feature = backbone(skeletons(persons=persons, joints=joints))
        assert feature.shape == (3, backbone.embed_dims) == (3, 8)


def test_embedding_and_encoding_is_the_whole_forward(transformer, tokens, neighbors):
    assert tokens.shape == (3, 6, 8)
    padding = torch.zeros(3, 5, dtype=torch.bool)
    padding[:, 3:] = True
    for arguments in ((), (neighbors,), (neighbors, padding)):
        assert torch.equal(transformer(skeletons(), *arguments), encoded(transformer, tokens, *arguments))


def test_every_neighbor_changes_the_feature(transformer, tokens, neighbors):
    feature = encoded(transformer, tokens, neighbors)
    for index in range(5):
        other = neighbors.clone()
        other[:, index] += 1
        assert ((encoded(transformer, tokens, other) - feature).abs().amax(dim=1) > 1e-6).all()


def test_the_order_of_neighbors_does_not_matter(transformer, tokens, neighbors):
    torch.testing.assert_close(
        encoded(transformer, tokens, neighbors.flip(1)), encoded(transformer, tokens, neighbors)
    )


def test_padded_neighbors_take_no_part(transformer, tokens, neighbors):
    padding = torch.tensor([[False, True, False, True, True]] * 3)
    feature = encoded(transformer, tokens, neighbors, padding)
    loud = torch.where(padding[..., None], neighbors + 1e4, neighbors)
    assert torch.equal(encoded(transformer, tokens, loud, padding), feature)
    torch.testing.assert_close(encoded(transformer, tokens, neighbors[:, [0, 2]]), feature)


def test_without_the_output_of_cross_attention_both_branches_are_one(transformer, tokens, neighbors):
    assert not torch.allclose(encoded(transformer, tokens, neighbors), encoded(transformer, tokens))
    for layer in transformer.layers:
        nn.init.zeros_(layer.cross_attention.out_proj.weight)
        nn.init.zeros_(layer.cross_attention.out_proj.bias)
    assert torch.equal(encoded(transformer, tokens, neighbors), encoded(transformer, tokens))


def test_the_temporal_positions_alone_tell_frames_apart(transformer, tokens):
    torch.testing.assert_close(encoded(transformer, tokens.flip(1)), encoded(transformer, tokens))
    shift = torch.randn(1, 6, 8)
    with torch.no_grad():
        transformer.positions += shift
    torch.testing.assert_close(transformer.tokenize(skeletons()), tokens + shift)


def test_shorter_inputs_take_the_first_positions(transformer):
    assert transformer(skeletons(frames=2)).shape == (3, 8)


def test_an_input_longer_than_the_positions_is_refused(transformer):
    with pytest.raises(ValueError, match='6 temporal positions but got 7 frames; set its num_frames'):
        transformer(skeletons(frames=7))


def test_the_numbers_of_i2md_are_the_defaults():
    backbone = GCNTransformer(depth=1)
    assert (backbone.to_token.in_features, backbone.to_token.out_features) == (3200, 768)
    assert len(backbone.gcn.gcn) == 3 and backbone.positions.shape == (1, 64, 768)
    (layer,) = backbone.layers
    assert layer.self_attention.num_heads == layer.cross_attention.num_heads == 12
    assert layer.feedforward[0].out_features == 3072


def paired_as_bidirectional(backbone, num_layers, hidden):
    """A bidirectional GRU with the weights of the backbone's pairs."""
    inputs = backbone.input_norm.num_features
    gru = nn.GRU(inputs, hidden, num_layers, batch_first=True, bidirectional=True)
    state = {}
    for number, layer in enumerate(backbone.gru):
        for direction, suffix in ((layer.forward_gru, ''), (layer.reverse_gru, '_reverse')):
            for name, value in direction.state_dict().items():
                state[name.replace('_l0', f'_l{number}') + suffix] = value
    gru.load_state_dict(state)
    return gru


def normed_frames(backbone, keypoint):
    """Each frame's (joint, coordinate, person) numbers, normalised by the running statistics."""
    order = [
        keypoint[:, person, :, joint, coordinate]
        for joint in range(keypoint.size(3))
        for coordinate in range(3)
        for person in range(keypoint.size(1))
    ]
    norm = backbone.input_norm
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (torch.stack(order, dim=2) - norm.running_mean) * scale + norm.bias  # (B, T, V * C * M)


def bigru(**options):
    """A BiGRU whose normalisation is not the identity."""
    torch.manual_seed(0)
    backbone = BiGRU(hidden_channels=5, **options).eval()
    for tensor in (*backbone.input_norm.parameters(), backbone.input_norm.running_mean):
        nn.init.normal_(tensor)
    nn.init.uniform_(backbone.input_norm.running_var, 0.5, 2)
    return backbone


@pytest.mark.parametrize('num_layers', [1, 3])
def test_the_whole_sequence_is_a_bidirectional_gru_called_frame_by_frame(num_layers):
    backbone = bigru(num_layers=num_layers)
    gru, state = paired_as_bidirectional(backbone, num_layers, 5), None
    for frame in normed_frames(backbone, skeletons()).unbind(dim=1):
        output, state = gru(frame[:, None], state)
    torch.testing.assert_close(backbone(skeletons()), output[:, -1], atol=1e-5, rtol=0)


def test_the_true_mode_is_torchs_bidirectional_gru():
    backbone = bigru(num_layers=2, reverse_time=True)
    gru = nn.GRU(150, 5, 2, batch_first=True, bidirectional=True)
    gru.load_state_dict(backbone.gru.state_dict())
    outputs, _ = gru(normed_frames(backbone, skeletons()))
    torch.testing.assert_close(backbone(skeletons()), outputs[:, -1], atol=1e-5, rtol=0)


def test_the_two_modes_differ():
    stepwise = bigru(num_layers=1)
    true = bigru(num_layers=1, reverse_time=True)
    true.input_norm.load_state_dict(stepwise.input_norm.state_dict())
    true.gru.load_state_dict(paired_as_bidirectional(stepwise, 1, 5).state_dict())
    difference = (true(skeletons()) - stepwise(skeletons())).abs()
    assert difference[:, :5].max() < 1e-5 < difference[:, 5:].max()


def test_the_numbers_of_cmd_are_the_defaults():
    backbone = BiGRU()
    assert backbone.input_norm.num_features == 150 and len(backbone.gru) == 3
    assert backbone.embed_dims == 2048 and backbone.gru[0].forward_gru.hidden_size == 1024


@pytest.mark.parametrize('context', [None, 5])
@pytest.mark.parametrize('graded', [True, False])
def test_attention_is_torchs_on_the_same_weights(context, graded):
    torch.manual_seed(0)
    attention = Attention(8, 2)
    nn.init.normal_(attention.in_proj_bias)
    x = torch.randn(3, 4, 8)
    other = x if context is None else torch.randn(3, context, 8)
    padding = (
        None
        if context is None
        else torch.tensor([[False] * 5, [True, False] * 2 + [True], [True] * 4 + [False]])
    )
    with torch.set_grad_enabled(graded):
        ours = attention(x, None if context is None else other, padding)
        expected = nn.MultiheadAttention.forward(attention, x, other, other, padding)[0]
    torch.testing.assert_close(ours, expected, atol=1e-6, rtol=1e-5)


def test_recomputed_layers_give_the_same_gradients_and_statistics_in_less_memory():
    def built(with_cp):
        torch.manual_seed(0)
        sizes = dict(
            gcn_channels=2, gcn_layers=2, embed_dims=16, num_heads=2, feedforward_channels=256, num_frames=32
        )
        return GCNTransformer(depth=8, with_cp=with_cp, **sizes).train()

    def run(backbone):
        backbone(skeletons(batch=8, frames=32), neighbors=torch.ones(8, 2, 16)).square().sum().backward()

    plain, saving = built(False), built(True)
    for backbone in (plain, saving):
        run(backbone)
    for (name, weight), other in zip(plain.named_parameters(), saving.parameters()):
        torch.testing.assert_close(other.grad, weight.grad, msg=name)
    for (name, statistic), other in zip(plain.named_buffers(), saving.buffers()):
        torch.testing.assert_close(other, statistic, msg=name)
    assert peak_bytes(lambda: run(saving), 'cpu') < 0.6 * peak_bytes(lambda: run(plain), 'cpu')
