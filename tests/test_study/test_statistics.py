"""Means, spreads and bootstrap intervals, against loops written out and against SciPy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from i2md_mmaction.study.results import Result, pack
from i2md_mmaction.study.statistics import bootstrap_interval, estimate, group_runs, outcomes


def runs_of(method, right, seeds=None, data='sbu', **fields):
    """Runs of a method, the rows of ``right`` by seed."""
    seeds = range(len(right)) if seeds is None else seeds
    return {
        seed: Result(
            'gru',
            method,
            data,
            seed,
            samples=len(row),
            **{'names': 'a' * 64, 'right': dict(knn=dict(all=pack(row))), **fields},
        )
        for seed, row in zip(seeds, right)
    }


@pytest.fixture
def right():
    """Two methods on data sets of 7 and 5 samples, 3 seeds each."""
    generator = np.random.default_rng(0)
    return [generator.random((2, 3, samples)) < (((0.8,),), ((0.5,),)) for samples in (7, 5)]


def loop_interval(ours, theirs, draws, seed):
    """The interval by loops over draws, data sets, seeds and samples, in double precision."""
    seeds = len(ours[0])
    seed_generator = np.random.default_rng((seed, 0))
    generators = [np.random.default_rng((seed, order)) for order in range(1, len(ours) + 1)]
    means = []
    for _ in range(draws):
        drawn_seeds = seed_generator.integers(seeds, size=seeds)
        sets = []
        for generator, mine, other in zip(generators, ours, theirs):
            samples = mine.shape[1]
            drawn = generator.integers(samples, size=samples)
            values = [float(mine[s, i]) - float(other[s, i]) for s in drawn_seeds for i in drawn]
            sets.append(sum(values) / len(values))
        means.append(100 * sum(sets) / len(sets))
    return np.percentile(means, (2.5, 97.5))


@pytest.mark.parametrize('sets', [1, 2])
def test_interval_is_that_of_a_loop_with_the_same_draws(right, sets):
    ours, theirs = zip(*right[:sets])
    interval = bootstrap_interval([a.astype(float) - b for a, b in zip(ours, theirs)], draws=300, seed=4)
    np.testing.assert_allclose(interval, loop_interval(ours, theirs, 300, 4), rtol=0, atol=1e-9)


def test_several_streams_are_averaged_sample_by_sample():
    generator = np.random.default_rng(1)
    ours, theirs = generator.random((2, 3, 2, 9)) < 0.6  # method, stream, seed, sample
    streams = ('joint', 'motion', 'bone')
    runs = [
        {
            seed: replace(run, right=dict(knn=dict(zip(streams, map(pack, right[:, seed])))))
            for seed, run in runs_of(name, right[0]).items()
        }
        for name, right in (('cmd', ours), ('moco', theirs))
    ]
    (difference,) = outcomes(runs[:1], 'knn', streams, runs[1:])
    mean = ours.mean(axis=0) - theirs.mean(axis=0)
    np.testing.assert_allclose(difference, 3 * mean, atol=1e-6)
    found, expected = estimate([difference], 200, streams=3), estimate([mean], 200)
    np.testing.assert_allclose(found.by_seed, expected.by_seed)
    np.testing.assert_allclose(found[:4], expected[:4])
    assert outcomes(runs[:1], 'knn', ('joint', 'pose')) == []


def test_one_seed_gives_the_interval_over_samples_alone():
    values = np.random.default_rng(1).choice([-1.0, 0, 1], size=200, p=(0.1, 0.6, 0.3))
    theirs = stats.bootstrap((100 * values,), np.mean, n_resamples=20_000, method='percentile', rng=0)
    found = estimate([values[None]])
    np.testing.assert_allclose((found.low, found.high), theirs.confidence_interval, atol=0.6)
    assert found.spread is None and found.by_seed == [pytest.approx(100 * values.mean())]


def test_seeds_that_differ_widen_the_interval_and_samples_that_repeat_do_not():
    seeds = np.array([[1.0], [0.0], [0.0], [0.0]]).repeat(50, axis=1)
    # Only seeds differ: the mean of 4 draws of one in four, a binomial share.
    assert bootstrap_interval([seeds]) == tuple(25 * stats.binom(4, 0.25).ppf((0.025, 0.975)))


def test_seeds_are_drawn_jointly_and_samples_of_each_data_set_for_themselves():
    seeds = np.array([[1.0], [-1.0]]).repeat(50, axis=1)
    # What one set gains by a seed, the other loses by it, whichever is drawn.
    assert bootstrap_interval([seeds, -seeds]) == (0, 0)
    samples = np.array([[1.0, -1.0] * 50])
    low, high = bootstrap_interval([samples, -samples])
    # The mean of two independent means of 100 signs.
    assert high - low == pytest.approx(2 * 1.96 * 100 / np.sqrt(200), rel=0.05)


def test_each_data_set_counts_the_same_whatever_its_size():
    found = estimate([np.ones((2, 10)), np.zeros((2, 1000))], draws=50)
    assert (found.value, found.low, found.high) == (50, 50, 50)


def test_interval_turns_over_with_the_sign_and_is_empty_for_the_same_method(right):
    (ours, theirs), _ = right
    forth = bootstrap_interval(outcomes([runs_of('a', ours)], 'knn', baseline=[runs_of('b', theirs)]))
    back = bootstrap_interval(outcomes([runs_of('b', theirs)], 'knn', baseline=[runs_of('a', ours)]))
    assert forth[0] < forth[1] and forth == pytest.approx((-back[1], -back[0]), abs=1e-9)
    same = outcomes([runs_of('a', ours)], 'knn', baseline=[runs_of('b', ours)])
    assert estimate(same)[:4] == (0, 0, 0, 0)


def test_seeds_that_cancel_give_a_zero_without_a_sign():
    # 3/55 + 7/55 - 10/55 is -1e-17 in floating point.
    difference = np.zeros((3, 55))
    difference[0, :3] = difference[1, :7] = 1
    difference[2, :10] = -1
    assert repr(estimate([difference], draws=50).value) == '0.0'


def test_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(2)
    covered = []
    for _ in range(400):
        # Errors of 0.02 by the samples and 0.01 by the seeds, round a difference of 5 %.
        samples, seeds = generator.normal(0, 0.3, (1, 225)), generator.normal(0, 0.0224, (5, 1))
        low, high = bootstrap_interval([0.05 + samples + seeds], draws=400)
        covered.append(low <= 5 <= high)
    assert 0.91 <= np.mean(covered) <= 0.97


def test_mean_and_spread_are_those_of_the_accuracies_of_the_seeds(right):
    runs = runs_of('a', right[0][0])
    accuracies = [run.accuracy('knn') for run in runs.values()]
    found = estimate(outcomes([runs], 'knn'))
    assert found.by_seed == pytest.approx(accuracies)
    assert found.value == pytest.approx(sum(accuracies) / 3)
    assert found.spread == pytest.approx(np.sqrt(sum((x - found.value) ** 2 for x in accuracies) / 2))
    assert found.low <= found.value <= found.high


def test_only_seeds_that_all_have_on_all_data_sets_are_paired(right):
    ours = [runs_of('a', right[0][0], (0, 1, 2)), runs_of('a', right[1][0], (1, 2, 3), 'utd')]
    theirs = [runs_of('b', right[0][1], (0, 2, 5)), runs_of('b', right[1][1], (0, 1, 2), 'utd')]
    first, second = outcomes(ours, 'knn', baseline=theirs)
    np.testing.assert_array_equal(first, right[0][0][[2]].astype(int) - right[0][1][[1]])
    np.testing.assert_array_equal(second, right[1][0][[1]].astype(int) - right[1][1][[2]])
    assert outcomes(ours[:1], 'knn', baseline=[{}]) == []
    assert outcomes(ours[:1], 'linear', baseline=theirs[:1]) == []


@pytest.mark.parametrize('who', ['baseline', 'seed'])
def test_runs_on_other_samples_are_refused_by_name(right, who):
    ours, theirs = runs_of('a', right[0][0]), runs_of('b', right[0][1])
    changed = theirs if who == 'baseline' else ours
    changed[1] = replace(changed[1], names='b' * 64)
    with pytest.raises(
        ValueError, match=rf'sbu/gru/a_seed0 .* and {changed[1].name} .* not tested on the same'
    ):
        outcomes([ours], 'knn', baseline=[theirs])


def test_folds_follow_one_another_in_one_run_of_a_seed():
    folds = [
        Result('gru', 'moco', 'sbu', 0, fold, samples=2, names=fold, right=dict(knn=dict(all=pack(right))))
        for fold, right in (('fold1', (1, 0)), ('fold2', (1, 1)))
    ]
    runs = group_runs([*folds, replace(folds[0], seed=1)])
    # Seed 1 lacks a fold.
    assert list(runs) == [('gru', 'moco', 'sbu')] and list(runs['gru', 'moco', 'sbu']) == [0]
    assert outcomes([runs['gru', 'moco', 'sbu']], 'knn')[0].tolist() == [[1, 0, 1, 1]]
