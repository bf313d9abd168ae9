"""CrosSCLR: positives across streams against loops over Python's floats, and its two stages."""

from itertools import permutations
from math import exp, log

import pytest
import torch

from i2md_mmaction.engine import PretrainStageHook

STREAMS = ('joint', 'motion', 'bone')


@pytest.fixture
def build(build_pretrainer):
    return lambda **options: build_pretrainer('CrosSCLR', **{'mining': True, **options})


def embed(model, views):
    """Stream -> (z of the query, z of the key); batch statistics make it repeatable."""
    return {
        name: (stream.query(views[0]).embedding, stream.key(views[1]).embedding)
        for name, stream in model.streams.items()
    }


def slow_cross(own, sim_u, sim_v, filled, context):
    """-(sum over the positives of log softmax) / (number of positives), averaged over the batch."""
    total = 0.0
    for positive, row, other in zip(own, sim_u, sim_v):
        mined = max(range(filled), key=lambda index: other[index])
        logits, positives = [positive, *row], [0, 1 + mined]
        if context:
            logits += [a * b for a, b in zip(row, other)]
            positives.append(1 + len(row) + mined)
        denominator = sum(exp(logit / 0.07) for logit in logits)
        total -= sum(log(exp(logits[index] / 0.07) / denominator) for index in positives) / len(positives)
    return total / len(own)


def expected_losses(model, views, products):
    """Loss of u: the mean over the other streams v; and the contrast accuracy."""
    own, sims, terms = {}, {}, {}
    for name, (query, key) in embed(model, views).items():
        own[name] = [row[index] for index, row in enumerate(products(query, key))]
        sims[name] = products(query, model.bank[f'{name}_key'])
        hits = [positive > max(row) for positive, row in zip(own[name], sims[name])]
        terms[f'acc_nce_{name}'] = 100 * sum(hits) / len(hits)
    for u, v in permutations(model.streams, 2):
        loss = slow_cross(own[u], sims[u], sims[v], int(model.bank.filled), model.context)
        terms[f'loss_cross_{v}_to_{u}'] = loss / (len(model.streams) - 1)
    return terms


@pytest.mark.parametrize('context', [True, False])
@pytest.mark.parametrize('streams', [STREAMS, ('bone', 'joint')])
def test_every_term_has_the_value_of_its_formula(build, skeleton_views, products, context, streams):
    model, views = build(context=context, streams=streams), skeleton_views()[:2]
    losses = {name: value.item() for name, value in model(views, mode='loss').items()}
    assert losses == pytest.approx(expected_losses(model, views, products), abs=1e-5)


def test_the_first_stage_is_the_contrast_of_each_stream(build, build_pretrainer, skeleton_views):
    views = skeleton_views()[:2]
    losses = build(mining=False)(views, mode='loss')
    baseline = build_pretrainer('SkeletonMoCo')(views, mode='loss')
    assert losses == baseline and {f'loss_nce_{name}' for name in STREAMS} < set(losses)


@pytest.mark.parametrize('context', [True, False])
def test_the_positives_are_the_rows_that_the_other_stream_finds(
    build, skeleton_views, products, context, monkeypatch
):
    model, seen = build(context=context), []
    forward = model.neighbor.forward
    monkeypatch.setattr(model.neighbor, 'forward', lambda *call: seen.append(call[1:]) or forward(*call))
    embedded = embed(model, skeleton_views())
    # The row nearest to each query is one not filled yet.
    for name, (query, _) in embedded.items():
        model.bank[f'{name}_key'][-4:] = query.detach()
    model(skeleton_views()[:2], mode='loss')
    found = {}
    for name, (query, _) in embedded.items():
        rows = products(query, model.bank[f'{name}_key'])
        assert all(max(row) not in row[:9] for row in rows)
        found[name] = [row.index(max(row[:9])) for row in rows]
    assert len({tuple(index) for index in found.values()}) == 3
    for (_, v), (similarity, mined) in zip(permutations(STREAMS, 2), seen, strict=True):
        copies = 2 if context else 1
        assert similarity.shape == mined.shape == (4, 14 * copies)
        positives = [row.nonzero().flatten().tolist() for row in mined]
        assert positives == [[index + 14 * copy for copy in range(copies)] for index in found[v]]


def test_with_an_empty_bank_the_key_is_the_only_positive(build, skeleton_views):
    views = skeleton_views()[:2]
    mining = build(filled=0, context=False)(views, mode='loss')
    contrast = build(filled=0, mining=False)(views, mode='loss')
    for u, v in permutations(STREAMS, 2):
        expected = contrast[f'loss_nce_{u}'].item() / 2
        assert mining[f'loss_cross_{v}_to_{u}'].item() == pytest.approx(expected, abs=1e-6)


def test_every_stream_has_a_projector_and_a_backbone_of_its_own(build, skeleton_views):
    model, view = build(), skeleton_views()[0]
    parameters = [parameter for stream in model.streams.values() for parameter in stream.parameters()]
    assert len({parameter.data_ptr() for parameter in parameters}) == len(parameters)
    before = {name: stream(view).embedding for name, stream in model.streams.items()}
    for changed in STREAMS:
        with torch.no_grad():
            model.streams[changed].query.projector.layers[2].bias.add_(1.0)
        after = {name: stream(view).embedding for name, stream in model.streams.items()}
        assert [name for name in STREAMS if not torch.equal(before[name], after[name])] == [changed]
        before = after


@pytest.mark.parametrize('mining', [False, True])
def test_every_key_encoder_moves_in_both_stages(build, skeleton_views, mining):
    model = build(mining=mining)
    optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.5)
    keys = {name: [key.double() for key in stream.key.parameters()] for name, stream in model.streams.items()}
    total, _ = model.parse_losses(model(skeleton_views()[:2], mode='loss'))
    total.backward()
    optimizer.step()
    model.update_encoders()
    model.enqueue_keys()
    assert int(model.bank.filled) == 13
    for name, stream in model.streams.items():
        for old, key, query in zip(
            keys[name], stream.key.parameters(), stream.query.parameters(), strict=True
        ):
            torch.testing.assert_close(key.double(), 0.9 * old + 0.1 * query.double(), atol=1e-6, rtol=1e-6)
            assert not torch.equal(key.double(), old)


@pytest.mark.parametrize('mining', [False, True])
def test_every_trainable_parameter_gets_a_gradient_and_no_key_does(build, skeleton_views, mining):
    model = build(mining=mining)
    total, _ = model.parse_losses(model(skeleton_views()[:2], mode='loss'))
    total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (name.split('.')[2] == 'query')
        assert (parameter.grad is not None and bool(parameter.grad.any())) == parameter.requires_grad


def test_the_stage_hook_turns_contrast_into_mining_across_streams(build, skeleton_views, enter_epoch):
    model, views = build(mining=False), skeleton_views()[:2]
    hook = PretrainStageHook([dict(begin=0, mining=False), dict(begin=2, mining=True)])
    accuracies = {f'acc_nce_{name}' for name in STREAMS}
    enter_epoch(hook, model, 1)
    assert set(model(views, mode='loss')) == accuracies | {f'loss_nce_{name}' for name in STREAMS}
    assert enter_epoch(hook, model, 2)
    cross = {f'loss_cross_{v}_to_{u}' for u, v in permutations(STREAMS, 2)}
    assert set(model(views, mode='loss')) == accuracies | cross


def test_a_single_stream_is_refused(build):
    with pytest.raises(ValueError, match=r"needs two or more, got \['motion'\]"):
        build(streams=('motion',))
