"""Nearest neighbours against scikit-learn and votes counted by hand."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from i2md_mmaction.evaluation import concatenate_streams, knn_accuracy, knn_predict, knn_search


def features(rows, seed, width=6):
    generator = torch.Generator().manual_seed(seed)
    scale = torch.rand(rows, 1, generator=generator) * 10 + 0.1
    return torch.randn(rows, width, generator=generator) * scale


def labels(rows, seed, classes=4):
    return torch.randint(classes, (rows,), generator=torch.Generator().manual_seed(seed))


def slow_prediction(row, bank, bank_labels, k):
    """A vote by cosine in float64; ties go to the nearest row, equal rows to the first."""
    cosines = torch.cosine_similarity(row[None].double(), bank.double()).tolist()
    nearest = sorted(range(len(bank)), key=lambda index: (-cosines[index], index))[:k]
    votes = Counter(int(bank_labels[index]) for index in nearest)
    return next(
        int(bank_labels[index]) for index in nearest if votes[int(bank_labels[index])] == max(votes.values())
    )


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 60))
def test_one_nearest_neighbour_is_that_of_scikit_learn(seed, rows):
    query, bank, bank_labels = features(20, seed), features(rows, seed + 1), labels(rows, seed)
    reference = KNeighborsClassifier(1, metric='cosine').fit(bank.double(), bank_labels)
    assert knn_predict(query, bank, bank_labels).tolist() == reference.predict(query.double()).tolist()


@given(seed=st.integers(0, 10**6), k=st.integers(1, 12))
def test_the_class_of_most_votes_wins_and_of_equal_ones_that_of_the_nearest_row(seed, k):
    query, bank, bank_labels = features(15, seed), features(12, seed + 1), labels(12, seed)
    expected = [slow_prediction(row, bank, bank_labels, k) for row in query]
    assert knn_predict(query, bank, bank_labels, k=k).tolist() == expected


@given(seed=st.integers(0, 10**6), k=st.integers(1, 12), chunk=st.integers(1, 20))
def test_the_nearest_rows_are_found_whatever_the_chunks(seed, k, chunk):
    query, bank = features(15, seed), features(12, seed + 1)
    cosines, rows = knn_search(query, bank, k, chunk)
    expected = torch.cosine_similarity(query[:, None].double(), bank[None].double(), dim=2)
    assert torch.allclose(cosines.double(), expected.gather(1, rows), atol=1e-6)
    assert rows.tolist() == expected.argsort(dim=1, descending=True, stable=True)[:, :k].tolist()


def test_votes_by_hand():
    bank = torch.tensor([[1.0, 0.0], [1, 0.1], [1, 0.2], [1, 0.3]])
    bank_labels = torch.tensor([2, 1, 1, 2])
    query = torch.tensor([[3.0, 0.0]])
    assert [knn_predict(query, bank, bank_labels, k=k).item() for k in (1, 2, 3, 4)] == [2, 2, 1, 2]


@pytest.mark.parametrize('k', [1, 2, 3])
def test_rows_equally_near_count_in_the_order_of_the_bank(k):
    bank = torch.tensor([[0.0, 1.0]] + [[2.0, 0.0]] * 40)
    for first in (3, 5):
        bank_labels = torch.tensor([0, first, *range(6, 45)])
        assert knn_predict(torch.tensor([[1.0, 0.0]]), bank, bank_labels, k=k).item() == first


@given(seed=st.integers(0, 10**6), k=st.integers(1, 16))
def test_many_rows_that_are_equally_near_change_no_rule(seed, k):
    """Corners of a cube in four dimensions, whose cosines are exact and mostly equal."""
    generator = torch.Generator().manual_seed(seed)
    query, bank = (2.0 * torch.randint(2, (rows, 4), generator=generator) - 1 for rows in (10, 16))
    bank_labels = labels(16, seed)
    expected = [slow_prediction(row, bank, bank_labels, k) for row in query]
    assert knn_predict(query, bank, bank_labels, k=k).tolist() == expected


@given(seed=st.integers(0, 10**6), k=st.integers(1, 12), temperature=st.sampled_from([0.07, 0.5, 3.0]))
def test_weighted_votes_are_those_of_scikit_learn(seed, k, temperature):
    query, bank, bank_labels = features(15, seed), features(12, seed + 1), labels(12, seed)

    def weigh(distances):  # cosine distances
        return np.exp((1 - distances) / temperature)

    reference = KNeighborsClassifier(k, metric='cosine', weights=weigh).fit(bank.double(), bank_labels)
    found = knn_predict(query, bank, bank_labels, k=k, temperature=temperature)
    assert found.tolist() == reference.predict(query.double()).tolist()


@pytest.mark.parametrize('k', [1, 5])
@pytest.mark.parametrize('chunk', [1, 7, 50])
def test_the_size_of_a_chunk_does_not_change_the_result(k, chunk):
    query, bank, bank_labels = features(50, 0), features(30, 1), labels(30, 2)
    whole = knn_predict(query, bank, bank_labels, k=k)
    assert torch.equal(knn_predict(query, bank, bank_labels, k=k, chunk=chunk), whole)


@pytest.mark.parametrize('k', [0, 31])
def test_more_neighbours_than_rows_are_refused(k):
    with pytest.raises(ValueError, match=f'k={k} neighbours of a bank of 30 samples; choose 1 to 30'):
        knn_predict(features(5, 0), features(30, 1), labels(30, 2), k=k)


def test_similarity_of_joined_streams_is_the_mean_of_theirs():
    query = dict(joint=features(5, 0), bone=features(5, 1, width=3))
    bank = dict(joint=features(8, 2), bone=features(8, 3, width=3))
    joined = torch.cosine_similarity(
        concatenate_streams(query)[:, None], concatenate_streams(bank)[None], dim=2
    )
    parts = [torch.cosine_similarity(query[name][:, None], bank[name][None], dim=2) for name in query]
    torch.testing.assert_close(joined, sum(parts) / 2)


def test_accuracy_is_reported_for_each_stream_and_all_together_in_percent():
    bank_labels, query_labels = torch.tensor([0, 1]), torch.tensor([0, 1, 1, 1])
    bank = dict(joint=torch.eye(2), bone=torch.eye(2))
    query = dict(
        joint=torch.tensor([[1.0, 0], [0, 1], [0, 1], [0.8, 0.6]]),
        bone=torch.tensor([[0.0, 9], [9, 0], [9, 0], [0, 9.0]]),
    )
    accuracy = knn_accuracy(query, query_labels, bank, bank_labels)
    assert accuracy['top1_joint'] == 75 and accuracy['top1_bone'] == 25
    assert set(accuracy) == {'top1_joint', 'top1_bone', 'top1'}
    alone = knn_accuracy(query, query_labels, bank, bank_labels, streams=('joint',))
    assert alone == {'top1_joint': 75, 'top1': 75}


def test_streams_together_follow_the_surer_one():
    bank, bank_labels = dict(joint=torch.eye(2), bone=torch.eye(2)), torch.tensor([0, 1])
    query = dict(joint=torch.tensor([[0.8, 0.6]]), bone=torch.tensor([[0.0, 9.0]]))
    accuracy = knn_accuracy(query, torch.tensor([1]), bank, bank_labels)
    assert accuracy == {'top1_joint': 0, 'top1_bone': 100, 'top1': 100}


@pytest.mark.parametrize('side', ['query', 'bank'])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_features_that_are_not_finite_give_no_accuracy(side, value):
    sides = dict(query=dict(joint=features(5, 0), bone=features(5, 1)))
    sides['bank'] = dict(joint=features(8, 2), bone=features(8, 3))
    sides[side]['bone'][3, 1] = value
    labels = dict(query=torch.zeros(5, dtype=torch.long), bank=torch.zeros(8, dtype=torch.long))
    rows = dict(query=5, bank=8)[side]
    with pytest.raises(ValueError, match=f"stream 'bone': 1 of {rows} rows are NaN or infinite"):
        knn_accuracy(sides['query'], labels['query'], sides['bank'], labels['bank'])
    with pytest.raises(ValueError, match=f'1 of {rows} rows'):
        knn_predict(sides['query']['bone'], sides['bank']['bone'], labels['bank'])
