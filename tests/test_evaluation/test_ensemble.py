"""Scores of streams are summed by weight."""

import numpy as np
import pytest

from i2md_mmaction.evaluation import AIMCLR_WEIGHTS, fuse_scores


def logits(seed):
    return np.random.default_rng(seed).normal(size=(6, 4))


def test_the_weighted_sum_is_taken_stream_by_stream():
    scores = dict(joint=logits(0), motion=logits(1), bone=logits(2))
    fused = fuse_scores(scores, AIMCLR_WEIGHTS)
    for row in range(6):
        for column in range(4):
            parts = [scores[name][row, column] for name in ('joint', 'motion', 'bone')]
            expected = 0.6 * parts[0] + 0.4 * parts[1] + 0.6 * parts[2]
            assert fused[row, column] == pytest.approx(expected)
    np.testing.assert_allclose(fuse_scores(scores), sum(scores.values()))


def test_a_stream_without_weight_is_refused():
    with pytest.raises(ValueError, match=r"no weight for \['bone'\]"):
        fuse_scores(dict(joint=logits(0), bone=logits(1)), dict(joint=1.0))


def test_scores_of_different_samples_are_refused():
    with pytest.raises(ValueError, match='score the same split by all streams'):
        fuse_scores(dict(joint=logits(0), bone=logits(1)[:5]))
