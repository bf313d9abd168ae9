"""AimCLR: every term by name against the equations in float64, and its two stages."""

from math import exp, log
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from i2md_mmaction.engine import PretrainStageHook

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
STGCN = dict(type='SlimSTGCN', layout='kinect20', base_channels=4, embed_dims=8, dropout=0.0)
STAGES = [dict(begin=0, mining=False), dict(begin=3, mining=True)]


@pytest.fixture
def build(build_pretrainer):
    def build(**options):
        config = dict(streams=('joint',), backbone=STGCN, drop=dict(type='EnergyDrop', keep_prob=0.7))
        return build_pretrainer('AimCLR', **{**config, **options})

    return build


def embed(model, name, views):
    """z of the three queries and of the key; batch statistics make it repeatable."""
    stream = model.streams[name]
    encoder = stream.query
    normal, key, extreme = views
    feature = encoder.backbone(encoder.modality(extreme))  # (B, M, C, T, V)
    dropped = model.drop(feature)
    assert not torch.equal(dropped, feature)
    queries = [
        encoder(normal).embedding,
        *(encoder.projector(x.mean(dim=(1, 3, 4))) for x in (feature, dropped)),
    ]
    return queries, stream.key(key).embedding


def softmax(own, row):
    exponentials = [exp(similarity / 0.07) for similarity in [own, *row]]
    return [exponential / sum(exponentials) for exponential in exponentials]


def compared(model, name, views, products):
    """For each of the three queries and each sample: similarity to its key, and to the bank."""
    queries, key = embed(model, name, views)
    own = [[row[index] for index, row in enumerate(products(query, key))] for query in queries]
    return own, [products(query, model.bank[f'{name}_key']) for query in queries]


def nearest(row, filled, topk):
    return sorted(range(filled), key=lambda index: -row[index])[:topk]


def expected_losses(model, name, views, products, topk=1):
    """Equations 1, 6 to 8, and the released form of 9."""
    own, rows = compared(model, name, views, products)
    samples, filled = len(own[0]), int(model.bank.filled)
    nce = nnm = d3m = hits = 0.0
    for b in range(samples):
        target = softmax(own[0][b], rows[0][b])
        nce -= log(target[0])
        mined = {index for row in rows for index in nearest(row[b], filled, topk)}
        positives = [target[0]] + [target[1 + index] for index in mined]
        nnm -= sum(log(share) for share in positives) / len(positives)
        for query in (1, 2):
            shares = softmax(own[query][b], rows[query][b])
            d3m -= sum(p * log(q) for p, q in zip(target, shares)) / 2
        hits += own[0][b] > max(rows[0][b])
    terms = {f'loss_d3m_{name}': d3m, f'acc_nce_{name}': 100 * hits}
    terms.update({f'loss_nnm_{name}': nnm} if model.mining else {f'loss_nce_{name}': nce})
    return {term: value / samples for term, value in terms.items()}


@pytest.mark.parametrize('stream', ['joint', 'motion', 'bone'])
@pytest.mark.parametrize('mining, topk', [(False, 1), (True, 1), (True, 3)])
def test_every_term_has_the_value_of_its_equation(build, skeleton_views, products, stream, mining, topk):
    model = build(streams=(stream,), mining=mining, topk=topk)
    losses = model(skeleton_views(), mode='loss')
    expected = expected_losses(model, stream, skeleton_views(), products, topk)
    assert {name: value.item() for name, value in losses.items()} == pytest.approx(expected, abs=1e-5)


def test_the_mined_rows_are_the_union_over_the_three_queries(build, skeleton_views, products, monkeypatch):
    model, seen = build(mining=True), []
    queries, _ = embed(model, 'joint', skeleton_views())
    # Of the first sample each query has a row of the bank for itself.
    for row, query in zip((2, 4, 7), queries):
        model.bank['joint_key'][row] = query[0].detach()
    forward = model.neighbor.forward
    monkeypatch.setattr(model.neighbor, 'forward', lambda *call: seen.append(call[2]) or forward(*call))
    model(skeleton_views(), mode='loss')
    assert len(seen) == 1 and seen[0][0].nonzero().flatten().tolist() == [2, 4, 7]
    _, rows = compared(model, 'joint', skeleton_views(), products)
    for sample, mined in enumerate(seen[0]):
        expected = {index for row in rows for index in nearest(row[sample], 9, 1)}
        assert set(mined.nonzero().flatten().tolist()) == expected


@pytest.mark.parametrize('filled', [0, 9])
def test_unfilled_rows_are_never_mined_however_near(build, skeleton_views, products, filled):
    model = build(mining=True, filled=filled)
    queries, _ = embed(model, 'joint', skeleton_views())
    model.bank['joint_key'][-4:] = queries[0].detach()
    losses = model(skeleton_views(), mode='loss')
    expected = expected_losses(model, 'joint', skeleton_views(), products)
    assert {name: value.item() for name, value in losses.items()} == pytest.approx(expected, abs=1e-5)


def test_the_log_sum_form_of_mining_is_a_config(build, skeleton_views):
    form = dict(type='NeighborMiningLoss', form='log_sum')
    one, two = (build(mining=True, **options) for options in ({}, dict(neighbor=form)))
    losses = [model(skeleton_views(), mode='loss') for model in (one, two)]
    assert losses[1]['loss_nnm_joint'] < losses[0]['loss_nnm_joint'] - 1e-3
    assert losses[1]['loss_d3m_joint'] == losses[0]['loss_d3m_joint']


@pytest.mark.parametrize(
    'mining, term, reached',
    [(False, 'nce', [0]), (True, 'nnm', [0]), (False, 'd3m', [2]), (True, 'd3m', [2])],
)
def test_each_term_teaches_its_own_queries_only(build, skeleton_views, mining, term, reached):
    views = [view.requires_grad_() for view in skeleton_views()]
    build(mining=mining)(views, mode='loss')[f'loss_{term}_joint'].backward()
    moved = [index for index, view in enumerate(views) if view.grad is not None and view.grad.any()]
    assert moved == reached


@pytest.mark.parametrize('mining', [False, True])
def test_every_trainable_parameter_gets_a_gradient(build, skeleton_views, mining):
    model = build(mining=mining)
    total, _ = model.parse_losses(model(skeleton_views(), mode='loss'))
    total.backward()
    trainable = {name: value for name, value in model.named_parameters() if value.requires_grad}
    assert all(name.split('.')[2] == 'query' for name in trainable)
    assert all(parameter.grad is None for parameter in model.streams['joint'].key.parameters())
    assert not [name for name, value in trainable.items() if value.grad is None]
    # What a bias in front of a BatchNorm gets is rounding.
    trained = {name: value.grad for name, value in trainable.items() if not name.endswith('conv.bias')}
    assert not [name for name, gradient in trained.items() if gradient.abs().max() < 1e-7]


def test_a_step_brings_the_keys_into_the_bank_and_moves_the_key_encoder(build, skeleton_views):
    model = build(mining=True)
    _, key = embed(model, 'joint', skeleton_views())
    stream, before = model.streams['joint'], model.bank['joint_key'].clone()
    total, _ = model.parse_losses(model(skeleton_views(), mode='loss'))
    total.backward()
    assert torch.equal(model.bank['joint_key'], before)
    expected = [
        0.9 * k.double() + 0.1 * q.double()
        for k, q in zip(stream.key.parameters(), stream.query.parameters())
    ]
    model.update_encoders()
    model.enqueue_keys()
    torch.testing.assert_close(model.bank['joint_key'][9:13], key)
    assert int(model.bank.filled) == 13
    for parameter, value in zip(stream.key.parameters(), expected):
        torch.testing.assert_close(parameter.double(), value, atol=1e-6, rtol=1e-6)


def test_the_stage_hook_turns_contrast_into_mining_and_says_so(build, skeleton_views, enter_epoch):
    model, hook = build(), PretrainStageHook(STAGES)
    logged = [enter_epoch(hook, model, epoch) for epoch in (0, 1, 2)]
    assert set(model(skeleton_views(), mode='loss')) == {'loss_nce_joint', 'acc_nce_joint', 'loss_d3m_joint'}
    logged += [enter_epoch(hook, model, epoch) for epoch in (3, 4)]
    assert set(model(skeleton_views(), mode='loss')) == {'loss_nnm_joint', 'acc_nce_joint', 'loss_d3m_joint'}
    assert [len(lines) for lines in logged] == [1, 0, 0, 1, 0]
    assert 'epoch 4' in logged[3][0] and "'mining': True" in logged[3][0]


def test_a_resumed_run_finds_the_second_stage(build, enter_epoch):
    model = build()
    enter_epoch(PretrainStageHook(STAGES), model, 7)
    assert model.mining


@pytest.mark.parametrize('method', ['aimclr', 'crossclr', 'crossclr_bigru'])
def test_the_configs_turn_half_way_of_300_epochs(method, build, enter_epoch):
    config = Config.fromfile(CONFIGS / '_base_' / 'methods' / f'{method}.py')
    hook = dict(config.default_hooks.stages)
    hook.pop('type')
    hook, model, mining = PretrainStageHook(**hook), build(mining=True), []
    for epoch in (0, 149, 150, 299):
        enter_epoch(hook, model, epoch)
        mining.append(model.mining)
    assert mining == [False, False, True, True] and config.train_cfg.max_epochs == 300


def test_evaluation_sees_the_mean_over_persons_frames_and_joints_without_a_drop(build, skeleton_views):
    model = build(streams=('bone',)).eval()
    view, stream = skeleton_views()[0], model.streams['bone']
    feature = stream.query.backbone(stream.query.modality(view))
    torch.testing.assert_close(model(view, mode='tensor')['bone'], feature.mean(dim=(1, 3, 4)))
