"""How good embeddings are, without a label: spread, alignment of views, effective rank."""

from typing import Dict

import torch
from torch import Tensor
from torch.nn import functional as F

from .finite import check_finite

#: What is measured of each stream.
QUALITIES = ('alignment', 'uniformity', 'std', 'rank')
#: Rows between which uniformity is taken at most, evenly spaced; the pairs grow as their square.
_UNIFORMITY_ROWS = 8192


def alignment(first: Tensor, second: Tensor) -> float:
    """Mean squared distance of two views of a sample on the unit sphere.

    Wang and Isola, Understanding contrastive representation learning through
    alignment and uniformity on the hypersphere, ICML 2020, section 4.1, with
    alpha = 2.

    Args:
        first: Embeddings (S, H) of one view.
        second: Those of another one.

    Returns:
        0, where both views are embedded alike, to 4; 2 for views that have
        nothing in common.

    Example:
        >>> alignment(torch.eye(2), torch.tensor([[3.0, 0], [0, 1]]))
        0.0
    """
    first, second = (F.normalize(view.double(), dim=1) for view in (first, second))
    return float((first - second).square().sum(dim=1).mean())


def uniformity(features: Tensor, t: float = 2.0) -> float:
    """How evenly embeddings cover the unit sphere.

    The logarithm of the mean of exp(-t ||x - y||^2) over all pairs (Wang and
    Isola, ICML 2020, section 4.2), between 8,192 evenly spaced rows at most.

    Args:
        features: (S, H), at least two.
        t: Scale of the distances; 2 in the paper.

    Returns:
        0 where all are embedded alike; the lower, the more uniform, about -4
        at best.

    Example:
        >>> round(uniformity(torch.eye(4)), 2)  # each at a right angle to the others
        -4.0
    """
    step = -(-len(features) // _UNIFORMITY_ROWS)
    rows = F.normalize(features[::step].double(), dim=1)
    total = sum(
        torch.exp(-t * (2 - 2 * chunk @ rows.T).clamp(min=0)).sum(dtype=torch.float64)
        for chunk in rows.split(1024)
    )
    # Each row with itself is no pair.
    pairs = (total - len(rows)) / (len(rows) * (len(rows) - 1))
    return float(pairs.log())


def spread(features: Tensor) -> float:
    """Standard deviation of unit embeddings, as a share of what a uniform sphere has.

    The mean over the dimensions, times the square root of their number (Chen
    and He, Exploring simple Siamese representation learning, CVPR 2021,
    section 4.1).

    Args:
        features: (S, H).

    Returns:
        0 where all are embedded alike, 1 where they are spread over all
        directions.

    Example:
        >>> spread(torch.ones(3, 5))
        0.0
    """
    unit = F.normalize(features.double(), dim=1)
    return float(unit.std(dim=0, correction=0).mean() * unit.size(1) ** 0.5)


def effective_rank(features: Tensor) -> float:
    """RankMe: the number of directions that embeddings really use.

    The exponential of the entropy of the normalised singular values (Garrido
    et al., RankMe: assessing the downstream performance of pretrained
    self-supervised representations by their rank, ICML 2023, equation 1).

    Args:
        features: (S, H), not centred, as in the paper.

    Returns:
        1, where all embeddings lie on one line, to min(S, H); 0 if all are zero.

    Example:
        >>> round(effective_rank(torch.eye(4)), 3)
        4.0
    """
    features = features.double()
    if len(features) < features.size(1):
        features = features.T
    # Eigenvalues of the smaller product: the singular values, squared.
    singular = torch.linalg.eigvalsh(features.T @ features).clamp(min=0).sqrt()
    if not singular.any():
        return 0.0
    share = singular / singular.sum()
    return float(torch.special.entr(share).sum().exp())


def embedding_quality(features: Dict[str, Tensor], views: Dict[str, Tensor]) -> Dict[str, float]:
    """All four for each stream, and their means over the streams.

    Args:
        features: Stream -> embeddings (S, H) of the view of evaluation.
        views: Stream -> embeddings (S, 2, H) of two training views.

    Returns:
        ``alignment_STREAM``, ``uniformity_STREAM``, ``std_STREAM``,
        ``rank_STREAM``, and the means under the bare names.

    Raises:
        ValueError: If there are fewer than two samples, or a feature is not
            finite.
    """
    found: Dict[str, Dict[str, float]] = {}
    for stream, rows in features.items():
        check_finite(f'features of stream {stream!r}', rows, views[stream].flatten(1))
        if len(rows) < 2:
            raise ValueError(f'the spread of {len(rows)} embeddings means nothing; evaluate at least two')
        found[stream] = dict(
            alignment=alignment(*views[stream].unbind(dim=1)),
            uniformity=uniformity(rows),
            std=spread(rows),
            rank=effective_rank(rows),
        )
    values = {f'{name}_{stream}': value for stream, own in found.items() for name, value in own.items()}
    for name in QUALITIES:
        values[name] = sum(own[name] for own in found.values()) / len(found)
    return values
