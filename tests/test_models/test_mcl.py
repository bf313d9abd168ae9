"""MCL: the contrast along each edge against loops over Python's floats."""

from itertools import permutations
from math import exp, log

import pytest

STREAMS = ('joint', 'motion', 'bone')


@pytest.fixture
def build(build_pretrainer):
    return lambda **options: build_pretrainer('MCL', **options)


def slow_nce(own, rows, temperature):
    """-log of the key's share, averaged over the batch."""
    total = 0.0
    for positive, row in zip(own, rows):
        denominator = sum(exp(similarity / temperature) for similarity in [positive, *row])
        total -= log(exp(positive / temperature) / denominator)
    return total / len(own)


def contrasted(model, views, products, teacher, student, temperature=0.07):
    """The student's queries against the teacher's keys and bank."""
    query, key = model.streams[student].query, model.streams[teacher].key
    query = query(views[0]).embedding
    key = key(views[1]).embedding
    own = [row[index] for index, row in enumerate(products(query, key))]
    return slow_nce(own, products(query, model.bank[f'{teacher}_key']), temperature)


def test_every_term_has_the_value_of_its_formula(build, skeleton_views, products):
    model, views = build(), skeleton_views()[:2]
    losses = {name: value.item() for name, value in model(views, mode='loss').items() if 'loss' in name}
    expected = {f'loss_nce_{name}': contrasted(model, views, products, name, name) for name in STREAMS}
    for teacher, student in permutations(STREAMS, 2):
        expected[f'loss_mcl_{teacher}_to_{student}'] = contrasted(model, views, products, teacher, student)
    assert losses == pytest.approx(expected, abs=1e-5)


def test_weight_and_temperature_are_of_the_terms_across_streams_only(build, skeleton_views, products):
    mutual = dict(type='MutualContrastiveLoss', temperature=0.5)
    model, views = build(mcl_weight=0.3, mutual=mutual), skeleton_views()[:2]
    losses = model(views, mode='loss')
    assert losses['loss_mcl_joint_to_bone'].item() == pytest.approx(
        0.3 * contrasted(model, views, products, 'joint', 'bone', 0.5), abs=1e-5
    )
    assert losses['loss_nce_bone'].item() == pytest.approx(
        contrasted(model, views, products, 'bone', 'bone'), abs=1e-5
    )


@pytest.mark.parametrize(
    'options, terms',
    [
        (dict(edges=[['motion', 'bone'], ['bone', 'joint']]), ['motion_to_bone', 'bone_to_joint']),
        (dict(streams=('joint', 'bone')), ['joint_to_bone', 'bone_to_joint']),
        (dict(edges=[]), []),
        (dict(mcl_weight=0.0), []),
    ],
)
def test_edges_and_weight_choose_the_terms(build, skeleton_views, options, terms):
    losses = build(**options)(skeleton_views()[:2], mode='loss')
    assert [name for name in losses if 'mcl' in name] == [f'loss_mcl_{term}' for term in terms]


@pytest.mark.parametrize('edge', [('joint', 'joint'), ('joint', 'depth'), ('joint',)])
def test_an_edge_that_names_no_two_streams_is_refused(build, edge):
    with pytest.raises(ValueError, match='must name two of the streams .*teacher first'):
        build(edges=[edge])


def test_an_edge_teaches_the_student_and_no_key(build, skeleton_views):
    model = build()
    model(skeleton_views()[:2], mode='loss')['loss_mcl_motion_to_bone'].backward()
    taught = {
        name.split('.')[1] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()
    }
    assert taught == {'bone'}
    assert all(parameter.grad is None for parameter in model.streams['bone'].key.parameters())


def test_every_trainable_parameter_gets_a_gradient(build, skeleton_views):
    model = build()
    total, _ = model.parse_losses(model(skeleton_views()[:2], mode='loss'))
    total.backward()
    trainable = {name: value for name, value in model.named_parameters() if value.requires_grad}
    assert all(name.split('.')[2] == 'query' for name in trainable)
    assert not [name for name, value in trainable.items() if value.grad is None or not value.grad.any()]


def test_a_weight_that_is_no_number_is_refused(build_pretrainer):
    with pytest.raises(ValueError, match='mcl_weight must be a number of at least 0, got nan'):
        build_pretrainer('MCL', mcl_weight=float('nan'))
