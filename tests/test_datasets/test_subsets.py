"""Labelled subsets: seeded, whole in classes, of the share that was asked for."""

import copy
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2md_mmaction.datasets import SkeletonDataset, select_subset

LABELS = st.lists(st.integers(0, 6), min_size=1, max_size=200)
FRACTIONS = st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5, 1.0])
BALANCES = st.sampled_from(['uniform', 'class'])


@given(labels=LABELS, fraction=FRACTIONS, balance=BALANCES, seed=st.integers(0, 1000))
def test_places_are_distinct_ascending_reproducible_and_of_every_class(labels, fraction, balance, seed):
    places = select_subset(labels, fraction, balance, seed)
    assert places == sorted(set(places)) and 0 <= places[0] <= places[-1] < len(labels)
    assert {labels[place] for place in places} == set(labels)
    assert places == select_subset(labels, fraction, balance, seed)


@given(labels=LABELS, fraction=FRACTIONS, seed=st.integers(0, 1000))
def test_the_class_balanced_draw_takes_the_share_of_each_class(labels, fraction, seed):
    drawn = Counter(labels[place] for place in select_subset(labels, fraction, 'class', seed))
    assert drawn == {label: max(1, round(fraction * count)) for label, count in Counter(labels).items()}


@given(labels=LABELS, fraction=FRACTIONS, seed=st.integers(0, 1000))
def test_the_uniform_draw_adds_only_a_sample_for_each_class_it_missed(labels, fraction, seed):
    share = max(1, round(fraction * len(labels)))
    places = select_subset(labels, fraction, 'uniform', seed)
    assert share <= len(places) <= share + len(set(labels)) - 1
    drawn = Counter(labels[place] for place in places)
    assert len(places) - share <= sum(count == 1 for count in drawn.values())


@given(labels=LABELS, balance=BALANCES, seed=st.integers(0, 1000))
def test_a_larger_share_contains_a_smaller_one_of_the_same_seed(labels, balance, seed):
    small, large = (set(select_subset(labels, fraction, balance, seed)) for fraction in (0.1, 0.4))
    assert small <= large


def test_seeds_differ_and_uniform_is_uniform():
    labels = np.arange(1000) % 10
    draws = [tuple(select_subset(labels, 0.1, 'uniform', seed)) for seed in range(200)]
    assert len(set(draws)) == 200
    # 100 of 1000 samples, 200 times: each is drawn 20 times on average, with a deviation of 4.2.
    counts = np.bincount(np.concatenate(draws), minlength=1000)
    assert abs(counts.mean() - 20) < 0.1 and 3.6 < counts.std() < 4.9
    classes = np.array([np.bincount(labels[list(draw)], minlength=10) for draw in draws])
    assert classes.std(axis=0).min() > 2  # Class by class it varies, as it should not when balanced.


@pytest.mark.parametrize('fraction', [0, -0.1, 1.5, 20])
def test_a_share_out_of_range_is_refused(fraction):
    with pytest.raises(ValueError, match=r'above 0 and be at most 1 \(0.01 for 1 %\)'):
        select_subset([0, 1], fraction)


def test_an_unknown_balance_is_refused():
    with pytest.raises(ValueError, match="one of .*'uniform', 'class'.*got 'even'"):
        select_subset([0, 1], 0.5, 'even')


def test_a_dataset_holds_the_subset_and_says_which(ntu_annotations, write_annotations):
    many = [
        dict(copy.deepcopy(ntu_annotations[0]), frame_dir=f's{number}', label=number % 4)
        for number in range(41)
    ]
    options = dict(fraction=0.2, balance='class', seed=3)
    path = write_annotations(many)
    dataset = SkeletonDataset(str(path), [], split='train', subset=options)
    record = dataset.subset_record
    assert len(dataset) == record['samples'] == 8 and record['per_class'] == {str(c): 2 for c in range(4)}
    assert record['names'] == [dataset.get_data_info(index)['frame_dir'] for index in range(8)]
    assert {name: record[name] for name in options} == options
    again = SkeletonDataset(str(path), [], split='train', subset=options).subset_record
    assert again == record
    whole = SkeletonDataset(str(path), [], split='train')
    assert len(whole) == 40 and whole.subset_record is None
