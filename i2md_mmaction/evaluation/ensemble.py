"""Fusion of the streams' scores."""

from typing import Dict, Optional

import numpy as np
from mmaction.evaluation import get_weighted_score

#: AimCLR's weights of raw logits (released code).
AIMCLR_WEIGHTS = dict(joint=0.6, motion=0.4, bone=0.6)


def fuse_scores(scores: Dict[str, np.ndarray], weights: Optional[Dict[str, float]] = None) -> np.ndarray:
    """Sums the scores of several streams by weight, with mmaction2's ``get_weighted_score``.

    Scores written by ``mim test --dump`` are fused by mmaction2's own tool,
    ``mim run mmaction2 report_accuracy --preds ... --coefficients ...``.

    Args:
        scores: Stream -> (S, classes), raw logits as AimCLR fuses them, of the
            same samples in the same order.
        weights: Stream -> weight; 1 each by default, and
            :data:`AIMCLR_WEIGHTS` in AimCLR.

    Returns:
        (S, classes).

    Raises:
        ValueError: If a stream has no weight, or the shapes differ.

    Example:
        >>> fuse_scores(dict(joint=np.array([[2.0, 0.0]]), bone=np.array([[0.0, 3.0]])))
        array([[2., 3.]])
    """
    shapes = {name: np.shape(score) for name, score in scores.items()}
    if len(set(shapes.values())) != 1:
        raise ValueError(f'scores of one shape are fused, got {shapes}; score the same split by all streams')
    if weights is not None and not set(scores) <= set(weights):
        raise ValueError(f'no weight for {sorted(set(scores) - set(weights))}; give one for each stream')
    coefficients = [1.0 if weights is None else weights[name] for name in scores]
    return np.stack(get_weighted_score(list(scores.values()), coefficients))
