"""The methods: every term by name, against the equations written out in float64."""

from itertools import permutations
from math import exp, log

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import nn

STREAMS = ('joint', 'motion', 'bone')
BIGRU = dict(type='BiGRU', hidden_channels=4, num_layers=1)
TRANSFORMER = dict(type='GCNTransformer', gcn_channels=4, gcn_layers=2, num_frames=6)
TRANSFORMER.update(embed_dims=8, depth=2, num_heads=2, feedforward_channels=12)
TOPK = dict(type='MutualDistillationLoss', topk=7)
EDGES = [f'{teacher}_to_{student}' for teacher, student in permutations(STREAMS, 2)]
IMD = [f'{name}_{way}' for name in STREAMS for way in ('instance_to_cluster', 'cluster_to_instance')]


def build(method, size=12, **options):
    config = dict(type=method, backbone=BIGRU, projector=dict(type='ProjectionHead', out_channels=6))
    config.update(bank=dict(type='MemoryBank', size=size), num_persons=1)
    if method != 'SkeletonMoCo':
        config.update(distillation=TOPK)
    if method == 'I2MD':
        config.update(backbone=TRANSFORMER, num_neighbors=4)
    torch.manual_seed(0)
    model = MODELS.build({**config, **options})
    model.init_weights()
    return model.train()


def views(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(4, 1, 6, 25, 3, generator=generator) for _ in range(2))


def trained(method, steps=2, **options):
    """A model whose bank holds the keys of some steps and whose keys lag behind."""
    model = build(method, **options)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for step in range(steps):
        optimizer.zero_grad()
        losses = model(views(step), mode='loss')
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        optimizer.step()
        model.update_encoders()
        model.enqueue_keys()
    return model


def products(rows, entry):
    """Similarities (B, N) as lists, in float64."""
    return [
        [sum(a * b for a, b in zip(row, other)) for other in entry.tolist()]
        for row in rows.detach().double().tolist()
    ]


def nce(query, key, entry):
    """Equation 1 and the share of queries nearest to their key, in percent."""
    total, hits = 0.0, 0
    own = [sum(a * b for a, b in zip(q, k)) for q, k in zip(query.tolist(), key.tolist())]
    for positive, negatives in zip(own, products(query, entry)):
        total -= log(exp(positive / 0.07) / (exp(positive / 0.07) + sum(exp(n / 0.07) for n in negatives)))
        hits += positive > max(negatives)
    return total / len(own), 100 * hits / len(own)


def distilled(teacher, student):
    """Equations 2 and 3 from similarities, over the teacher's seven nearest rows."""
    total = 0.0
    for own, other in zip(teacher, student):
        nearest = sorted(range(len(own)), key=lambda index: -own[index])[:7]
        p, q = ([exp(own[i] / 0.05) for i in nearest], [exp(other[i] / 0.1) for i in nearest])
        total += sum(a / sum(p) * log((a / sum(p)) / (b / sum(q))) for a, b in zip(p, q))
    return total / len(teacher)


def embed(stream, two_views):
    """Inputs and hidden embeddings of query and key; batch statistics make it repeatable."""
    inputs = [stream.query.modality(view) for view in two_views]
    return inputs, [encoder.extract(view) for encoder, view in zip((stream.query, stream.key), two_views)]


def expected_losses(model, two_views):
    """Every term of equation 10 that the model has, one sample and neighbour at a time."""
    terms, sims = {}, {'instance': {}, 'cluster': {}}
    for name, stream in model.streams.items():
        bank = {entry: model.bank[f'{name}_{entry}'].clone() for entry in model.entries}
        inputs, hidden = embed(stream, two_views)
        encoders = (stream.query, stream.key)
        units = [encoder.projector(h) for encoder, h in zip(encoders, hidden)]
        terms[f'loss_nce_{name}'], terms[f'acc_nce_{name}'] = nce(*units, bank['key'])
        sims['instance'][name] = [products(unit, bank['key']) for unit in units]
        if 'hidden' not in bank:
            continue
        filled, clusters = int(model.bank.filled), []
        for encoder, x, similarity in zip(encoders, inputs, sims['instance'][name]):
            nearest = [
                sorted(range(filled), key=lambda i: -row[i])[: model.num_neighbors] for row in similarity
            ]
            clusters.append(
                encoder.projector(encoder.backbone(x, neighbors=bank['hidden'][torch.tensor(nearest)]))
            )
        terms[f'loss_cluster_nce_{name}'], terms[f'acc_cluster_nce_{name}'] = nce(
            *clusters, bank['cluster_key']
        )
        sims['cluster'][name] = [products(unit, bank['cluster_key']) for unit in clusters]
        for teacher, student in permutations(sims):
            loss = distilled(sims[teacher][name][1], sims[student][name][0])
            terms[f'loss_imd_{name}_{teacher}_to_{student}'] = model.imd_weight * loss
    for teacher, student in getattr(model, 'edges', ()):
        loss = distilled(sims['instance'][teacher][1], sims['instance'][student][0])
        terms[f'loss_cmd_{teacher}_to_{student}'] = model.cmd_weight * loss
    return terms


@pytest.mark.parametrize('method', ['SkeletonMoCo', 'CMD', 'I2MD'])
def test_every_term_has_the_value_of_its_equation(method):
    model = trained(method)
    losses = model(views(9), mode='loss')
    expected = expected_losses(model, views(9))
    assert {name: value.item() for name, value in losses.items()} == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    'method, terms',
    [
        ('SkeletonMoCo', [f'loss_nce_{name}' for name in STREAMS]),
        ('CMD', [f'loss_nce_{name}' for name in STREAMS] + [f'loss_cmd_{edge}' for edge in EDGES]),
        (
            'I2MD',
            [f'loss_{term}_{name}' for term in ('nce', 'cluster_nce') for name in STREAMS]
            + [f'loss_imd_{way}' for way in IMD]
            + [f'loss_cmd_{edge}' for edge in EDGES],
        ),
    ],
)
def test_the_log_names_every_term_and_the_sum_is_of_losses_only(method, terms):
    model = build(method)
    losses = model(views(), mode='loss')
    accuracies = {name.replace('loss', 'acc') for name in terms if '_nce' in name}
    assert set(losses) == set(terms) | accuracies
    assert all(value.isfinite() and value.dim() == 0 for value in losses.values())
    total, _ = model.parse_losses(losses)
    assert total.item() == pytest.approx(sum(losses[name].item() for name in terms), rel=1e-6)


def test_weights_of_zero_leave_the_terms_out_and_edges_choose_them():
    losses = build('I2MD', cmd_weight=0, imd_weight=0)(views(), mode='loss')
    assert not any('cmd' in name or 'imd' in name for name in losses)
    losses = build('CMD', edges=[['motion', 'bone']])(views(), mode='loss')
    assert [name for name in losses if 'cmd' in name] == ['loss_cmd_motion_to_bone']


@pytest.mark.parametrize('steps', [0, 2])
@pytest.mark.parametrize('method', ['SkeletonMoCo', 'CMD', 'I2MD'])
def test_every_trainable_parameter_gets_a_gradient(method, steps):
    model = trained(method, steps=steps)
    model.zero_grad()
    total, _ = model.parse_losses(model(views(7), mode='loss'))
    total.backward()
    trainable = {name: value for name, value in model.named_parameters() if value.requires_grad}
    assert all(name.split('.')[2] == 'query' for name in trainable)
    assert not [name for name, value in trainable.items() if value.grad is None or not value.grad.any()]


@pytest.mark.parametrize('method, entries', [('CMD', 1), ('I2MD', 3)])
def test_keys_of_all_accumulated_steps_reach_the_bank_at_the_update(method, entries):
    model = build(method)
    expected = []
    for seed in (0, 1):
        model(views(seed), mode='loss')
        expected.append([model.streams[name].embed_key(views(seed)[1]) for name in STREAMS])
    assert int(model.bank.filled) == 0
    model.update_encoders()
    model.enqueue_keys()
    assert int(model.bank.filled) == 8 and len(model.bank.dims) == 3 * entries
    for number, name in enumerate(STREAMS):
        for entry, part in (('key', 'embedding'), ('hidden', 'hidden'))[: 1 + (entries > 1)]:
            keys = torch.cat([getattr(step[number], part) for step in expected])
            torch.testing.assert_close(model.bank[f'{name}_{entry}'][:8], keys)
    model.update_encoders()
    model.enqueue_keys()
    assert int(model.bank.filled) == 8


@pytest.mark.parametrize('method', ['SkeletonMoCo', 'CMD', 'I2MD'])
@pytest.mark.parametrize('outside', ['eval', 'no gradients'])
def test_losses_outside_training_leave_no_keys_behind(method, outside):
    model = build(method)
    with torch.set_grad_enabled(outside == 'eval'):
        losses = model.train(outside != 'eval')(views(), mode='loss')
    assert losses
    model.train().update_encoders()
    model.enqueue_keys()
    assert int(model.bank.filled) == int(model.bank.pointer) == 0


def test_an_update_moves_the_keys_of_every_stream():
    model = build('CMD', momentum=0.5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1.0 if parameter.requires_grad else 0.0)
    model.update_encoders()
    model.enqueue_keys()
    for stream in model.streams.values():
        assert all((parameter == 0.5).all() for parameter in stream.key.parameters())


def test_a_batch_larger_than_the_bank_is_no_pile():
    model = build('SkeletonMoCo', size=1)
    model(views(), mode='loss')
    model.update_encoders()
    model.enqueue_keys()
    assert int(model.bank.filled) == 1


def test_keys_that_nothing_takes_into_the_bank_raise_naming_the_hook():
    model = build('CMD', size=8)
    with pytest.raises(RuntimeError, match=r'pile up.*memory=.*MoCoMemoryHook.*default_hooks'):
        for _ in range(20):
            model(views(), mode='loss')


def test_both_branches_share_all_weights_but_cross_attention():
    model = trained('I2MD')
    own = {id(p) for stream in model.streams.values() for p in stream.parameters()}
    assert {id(parameter) for parameter in model.parameters()} == own
    query, key = views(5)
    first = model.branch_similarities('joint', query, key)
    encoder = model.streams['joint'].query
    for shared in (
        encoder.backbone.to_token,
        encoder.backbone.layers[1].norm_self,
        encoder.projector.layers[0],
    ):
        nn.init.normal_(shared.weight)
        second = model.branch_similarities('joint', query, key)
        assert not torch.allclose(second[0].query_sim, first[0].query_sim)
        assert not torch.allclose(second[1].query_sim, first[1].query_sim)
        first = second
    for layer in encoder.backbone.layers:
        nn.init.zeros_(layer.cross_attention.out_proj.weight)
        nn.init.zeros_(layer.cross_attention.out_proj.bias)
    frames, instance = encoder.instance(query)
    bank = model.bank.view('joint')
    neighbors = model.neighbors(instance.embedding @ bank.key.T, instance.hidden, bank.hidden)
    cluster = encoder.cluster(frames, *neighbors).embedding
    torch.testing.assert_close(cluster, instance.embedding)


def test_the_graph_convolutions_run_once_per_encoder_and_step():
    model, calls = trained('I2MD'), []
    for name, stream in model.streams.items():
        for side in ('query', 'key'):
            gcn = getattr(stream, side).backbone.gcn
            gcn.register_forward_hook(lambda *_, key=(name, side): calls.append(key))
    model(views(), mode='loss')
    assert sorted(calls) == sorted((name, side) for name in STREAMS for side in ('query', 'key'))


def test_with_an_empty_bank_a_sample_attends_to_its_own_hidden_embedding():
    model = build('I2MD')
    encoder = model.streams['bone'].query
    frames, instance = encoder.instance(views()[0])
    bank = model.bank.view('bone')
    neighbors = model.neighbors(instance.embedding @ bank.key.T, instance.hidden, bank.hidden)
    cluster = encoder.cluster(frames, *neighbors).embedding
    alone = encoder.pool(encoder.backbone.attend(frames, neighbors=instance.hidden[:, None]))
    torch.testing.assert_close(cluster, encoder.projector(alone))
    assert not torch.allclose(cluster, instance.embedding, atol=1e-3)


@pytest.mark.parametrize('method', ['CMD', 'I2MD'])
def test_prediction_gives_each_sample_the_query_features_of_its_streams(method):
    model = build(method).eval()
    samples = model(views()[0], [ActionDataSample() for _ in range(4)], mode='predict')
    features = model(views()[0], mode='tensor')
    for name, stream in model.streams.items():
        hidden = stream.query.extract(views()[0])
        torch.testing.assert_close(torch.stack([sample.embedding[name] for sample in samples]), hidden)
        torch.testing.assert_close(features[name], hidden)


@pytest.mark.parametrize(
    'method, options, error, message',
    [
        ('CMD', dict(edges=[('joint', 'joint')]), ValueError, 'must name two of the streams'),
        ('CMD', dict(edges=[('joint', 'depth')]), ValueError, "'depth'.*must name two of the streams"),
        (
            'CMD',
            dict(size=6),
            ValueError,
            'distillation.topk=7 exceeds the 6 rows of the bank; lower it or enlarge',
        ),
        (
            'I2MD',
            dict(num_neighbors=13),
            ValueError,
            'num_neighbors=13 exceeds the 12 rows of the bank; lower it',
        ),
        ('I2MD', dict(backbone=BIGRU), TypeError, 'BiGRU cannot attend.*such as GCNTransformer'),
        ('SkeletonMoCo', dict(streams=()), ValueError, 'streams must be a list of modalities'),
        ('SkeletonMoCo', dict(streams=('joint', 'joint')), ValueError, 'each once'),
        ('SkeletonMoCo', dict(streams='joint'), ValueError, "a list of modalities.*got 'joint'"),
        ('SkeletonMoCo', dict(momentum=1.5), ValueError, 'momentum must lie between 0 and 1, got 1.5'),
        ('CMD', dict(edges=[('joint', 'bone')] * 2), ValueError, 'an edge stands twice'),
        ('CMD', dict(cmd_weight=-1), ValueError, 'cmd_weight must be a number of at least 0, got -1'),
        ('I2MD', dict(imd_weight=float('inf')), ValueError, 'imd_weight must be .* got inf'),
        ('I2MD', dict(num_neighbors=0), ValueError, 'num_neighbors must be a whole number of at least 1'),
        (
            'CMD',
            dict(distillation=dict(type='MutualDistillationLoss', topk=0)),
            ValueError,
            'at least 1, got 0',
        ),
        (
            'CMD',
            dict(distillation=dict(type='MutualDistillationLoss', teacher_temperature=0)),
            ValueError,
            'teacher_temperature must be a positive number, got 0',
        ),
        (
            'SkeletonMoCo',
            dict(contrast=dict(type='InfoNCELoss', temperature=float('nan'))),
            ValueError,
            'temperature must be a positive number, got nan',
        ),
        (
            'SkeletonMoCo',
            dict(data_preprocessor=dict(type='SkeletonViewPreprocessor', train_views=[[]])),
            ValueError,
            'SkeletonMoCo takes 2 views of a sample, but train_views .* has 1',
        ),
        ('SkeletonMoCo', dict(streams=('speed',)), ValueError, "unknown modality 'speed'"),
    ],
)
def test_a_method_that_cannot_work_is_refused_with_the_remedy(method, options, error, message):
    with pytest.raises(error, match=message):
        build(method, **options)


def test_an_unknown_mode_is_refused():
    with pytest.raises(RuntimeError, match="invalid mode 'train'; choose"):
        build('CMD')(views(), mode='train')
