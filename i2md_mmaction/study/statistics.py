"""Means over seeds, and how far chance moves them: differences with bootstrap intervals."""

from functools import lru_cache
from itertools import combinations
from math import sqrt
from statistics import fmean
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .results import ALL, Result, join_folds

#: The runs of one method on one data set, by seed.
Runs = Mapping[int, Result]


class Estimate(NamedTuple):
    """A mean over seeds in percent, and how far chance moves it.

    Attributes:
        value: The mean.
        spread: Sample standard deviation over the seeds; None of one seed.
        low: Lower end of the bootstrap interval.
        high: Its upper end.
        by_seed: The values of the single seeds.
    """

    value: float
    spread: Optional[float]
    low: float
    high: float
    by_seed: List[float]


def group_runs(results: Iterable[Result]) -> Dict[Tuple[str, str, str], Dict[int, Result]]:
    """Results by (encoder, method, data set) and seed, folds joined.

    Give it all results at once: only so is it seen that a method lacks a fold.

    Example:
        >>> runs = group_runs([Result('gru', 'moco', 'sbu', seed) for seed in (1, 0)])
        >>> {key: sorted(group) for key, group in runs.items()}
        {('gru', 'moco', 'sbu'): [0, 1]}
    """
    groups: Dict[Tuple[str, str, str], Dict[int, Result]] = {}
    for result in join_folds(list(results)):
        groups.setdefault((result.encoder, result.method, result.data), {})[result.seed] = result
    return groups


def outcomes(
    runs: Sequence[Runs],
    protocol: str,
    streams: Sequence[str] = (ALL,),
    baseline: Optional[Sequence[Runs]] = None,
) -> List[np.ndarray]:
    """What a method got right, or what it got right and its baseline did not.

    Args:
        runs: Runs of the method, a mapping for each data set.
        protocol: Name of the protocol.
        streams: Names of streams. Of several, the outcomes are added up.
        baseline: Runs of the baseline on the same data sets in the same order.

    Returns:
        (seeds, samples) for each data set: 1 where the method was right and 0
        where it was wrong; with a baseline, what this is more than the
        baseline's, -1, 0 or 1. The rows are the seeds of which there are runs
        of all, on every data set; if there are none, the list is empty.

    Raises:
        ValueError: If the test samples of the runs on a data set are not the same.

    Example:
        >>> from i2md_mmaction.study.results import pack
        >>> def run(method, *right):
        ...     return {0: Result('gru', method, 'sbu', 0, samples=3, right=dict(knn=dict(all=pack(right))))}
        >>> outcomes([run('cmd', 1, 1, 0)], 'knn', baseline=[run('moco', 0, 1, 1)])
        [array([[ 1.,  0., -1.]], dtype=float32)]
    """
    seeds = _common_seeds([*runs, *(baseline or ())], protocol, streams)
    if not seeds:
        return []
    if baseline is None:
        return [_right([column], seeds, protocol, streams)[0] for column in runs]
    pairs = (_right(pair, seeds, protocol, streams) for pair in zip(runs, baseline, strict=True))
    return [ours - theirs for ours, theirs in pairs]


def _common_seeds(columns: Sequence[Runs], protocol: str, streams: Sequence[str]) -> List[int]:
    """Seeds of which there are runs in all columns that were evaluated so."""
    found = [
        {seed for seed, run in column.items() if set(streams) <= set(run.right.get(protocol, ()))}
        for column in columns
    ]
    return sorted(set.intersection(*found)) if found else []


def _right(
    columns: Sequence[Runs], seeds: Sequence[int], protocol: str, streams: Sequence[str]
) -> np.ndarray:
    """By how many streams samples were right, (columns, seeds, samples), of runs with the same samples."""
    first = columns[0][seeds[0]]
    for run in (column[seed] for column in columns for seed in seeds):
        if (run.samples, run.names) != (first.samples, first.names):
            raise ValueError(
                f'{first.name} ({first.samples} test samples) and {run.name} ({run.samples}) were not tested '
                'on the same samples in the same order, so they cannot be compared; run both on the same data'
            )
    return np.array(
        [
            [sum(column[seed].correct(protocol, stream).astype(int) for stream in streams) for seed in seeds]
            for column in columns
        ],
        np.float32,
    )


def agreement(runs: Sequence[Runs], protocol: str, streams: Sequence[str]) -> Optional[float]:
    """How much streams are right and wrong about the same samples.

    Streams that err together add little to one another when they are joined.

    Args:
        runs: Runs of a method, a mapping for each data set.
        protocol: Name of the protocol.
        streams: Names of at least two streams.

    Returns:
        Pearson's correlation (phi coefficient) of which samples two streams get
        right, the mean over all pairs of streams, seeds and data sets: 1 where
        they agree on all samples, 0 by chance. None if a stream is right or wrong
        about everything, of which nothing can be said.

    Example:
        >>> from i2md_mmaction.study.results import pack
        >>> right = dict(knn=dict(joint=pack([1, 1, 0, 0]), bone=pack([1, 0, 1, 0])))
        >>> run = Result('gru', 'cmd', 'sbu', 0, samples=4, right=right)
        >>> agreement([{0: run}], 'knn', ['joint', 'bone'])
        0.0
    """
    found = [
        _correlation(column[seed].correct(protocol, one), column[seed].correct(protocol, other))
        for seed in _common_seeds(runs, protocol, streams)
        for column in runs
        for one, other in combinations(streams, 2)
    ]
    return fmean(found) if found and None not in found else None


def _correlation(one: np.ndarray, other: np.ndarray) -> Optional[float]:
    """The correlation of two rows of booleans; None if one of them is constant."""
    size, both = one.size, int((one & other).sum())
    ones, others = int(one.sum()), int(other.sum())
    variances = ones * (size - ones) * others * (size - others)
    return (size * both - ones * others) / sqrt(variances) if variances else None


def estimate(matrices: Sequence[np.ndarray], draws: int = 10_000, streams: int = 1) -> Estimate:
    """The mean of outcomes in percent, with its spread over seeds and its 95 % interval.

    Args:
        matrices: (seeds, samples) for each data set, as :func:`outcomes` gives
            them. Each data set counts the same.
        draws: Draws of the bootstrap, see :func:`bootstrap_interval`.
        streams: Number of streams whose outcomes are added up. They are averaged.

    Example:
        >>> estimate([np.array([[1, 0, 0, 0], [1, 1, 1, 0]])])
        Estimate(value=50.0, spread=35.35533905932738, low=0.0, high=100.0, by_seed=[25.0, 75.0])
    """
    by_seed = 100 * np.mean([matrix.mean(axis=1, dtype=float) for matrix in matrices], axis=0) / streams
    spread = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None
    # Divided here, since only whole numbers are added up exactly, in whatever order.
    interval = (end / streams for end in bootstrap_interval(matrices, draws))
    # Means of fractions err in their last digits, which must not give a zero a sign.
    value, low, high = (round(float(number), 9) + 0.0 for number in (by_seed.mean(), *interval))
    return Estimate(value, spread, low, high, by_seed.tolist())


def bootstrap_interval(
    matrices: Sequence[np.ndarray], draws: int = 10_000, seed: int = 0, level: float = 0.95
) -> Tuple[float, float]:
    """The interval of the mean of outcomes in percent, by a bootstrap over test samples and seeds.

    Each draw takes as many seeds as there are, with replacement, the same on
    all data sets, since a seed gives the same initial weights on all; and as
    many test samples of each data set as it has, with replacement, the same for
    all seeds and, as outcomes are differences, for both methods. The ends of
    the interval are percentiles of the draws' means. One seed is drawn every
    time, so that its interval is over test samples alone.

    Source: A. B. Owen, The pigeonhole bootstrap, Annals of Applied Statistics
    1(2), 2007. As shown there, what belongs to one seed and one sample together
    counts about three times, so that the interval is mostly a little too wide.
    It is too narrow where nearly all of the spread is between few seeds, of
    which no resampling knows more.

    Args:
        matrices: (seeds, samples) for each data set, as :func:`outcomes` gives
            them. Each data set counts the same.
        draws: Number of draws.
        seed: Seed of the draws. Equal seeds draw the same samples whatever is
            compared.
        level: Share of the draws' means within the interval.

    Returns:
        Its lower and upper end, in percent or percentage points.

    Example:
        >>> bootstrap_interval([np.array([[1, 0, 0, 0], [1, 1, 0, 0]])])
        (0.0, 87.5)
    """
    seed_counts = _counts(len(matrices[0]), draws, (seed, 0))
    means = np.zeros(draws)
    for order, matrix in enumerate(matrices, 1):
        counts = _counts(matrix.shape[1], draws, (seed, order))
        # Whole numbers below 2 ** 24, exact in single precision.
        drawn = np.concatenate([part @ matrix.T.astype(np.float32) for part in np.array_split(counts, 16)])
        means += (seed_counts * drawn.astype(float)).sum(axis=1) / matrix.size
    tail = 50 * (1 - level)
    low, high = np.percentile(100 * means / len(matrices), (tail, 100 - tail))
    return float(low), float(high)


@lru_cache(maxsize=32)
def _counts(size: int, draws: int, seed: Tuple[int, int]) -> np.ndarray:
    """How often each of ``size`` things is drawn in as many draws with replacement, (draws, size)."""
    generator = np.random.default_rng(seed)
    counts = np.empty((draws, size), dtype=np.uint8)
    for row in counts:
        row[:] = np.bincount(generator.integers(size, size=size), minlength=size)
    return counts
