"""Seeded labelled subsets for semi-supervised learning: names and labels, no model."""

from typing import Dict, List, Sequence

import numpy as np

BALANCES = ('uniform', 'class')


def select_subset(
    labels: Sequence[int], fraction: float, balance: str = 'uniform', seed: int = 0
) -> List[int]:
    """Draws the labelled samples of a semi-supervised run.

    The same arguments give the same samples on every machine, and a larger
    fraction of the same seed contains a smaller one.

    Args:
        labels: Label of each sample.
        fraction: Share of the samples, above 0 and at most 1.
        balance: ``'uniform'`` draws among all samples (CMD, section 4.3), and
            adds one of each class that the draw missed; ``'class'`` draws the
            share of each class, at least one (AimCLR, section 4.3).
        seed: Seed of the draw.

    Returns:
        Places in ``labels``, ascending.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> select_subset([0, 0, 0, 0, 1, 1, 1, 1], 0.25, 'class')
        [2, 4]
    """
    if not 0 < fraction <= 1:
        raise ValueError(f'fraction must lie above 0 and be at most 1 (0.01 for 1 %), got {fraction}')
    if balance not in BALANCES:
        raise ValueError(f'balance must be one of {BALANCES}, got {balance!r}')
    labels = np.asarray(labels)
    order = np.random.default_rng(seed).permutation(len(labels))
    drawn = labels[order]
    if balance == 'uniform':
        kept = np.arange(len(order)) < _share(len(order), fraction)
        for label in np.setdiff1d(labels, drawn[kept]):
            kept[np.flatnonzero(drawn == label)[0]] = True
    else:
        kept = np.zeros(len(order), dtype=bool)
        for label in np.unique(labels):
            places = np.flatnonzero(drawn == label)
            kept[places[: _share(len(places), fraction)]] = True
    return sorted(order[kept].tolist())


def _share(count: int, fraction: float) -> int:
    """The share of a number of samples, at least one."""
    return max(1, round(fraction * count))


def describe_subset(names: Sequence[str], labels: Sequence[int], options: Dict) -> Dict:
    """What is saved of a subset with a run.

    Args:
        names: Names of its samples.
        labels: Their labels.
        options: Arguments of :func:`select_subset`.

    Returns:
        The options, the number of samples of each class, and the names.
    """
    classes, counts = np.unique(labels, return_counts=True)
    per_class = {str(label): count for label, count in zip(classes.tolist(), counts.tolist())}
    return dict(**options, samples=len(names), per_class=per_class, names=list(names))
