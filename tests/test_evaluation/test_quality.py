"""Quality without labels: against the papers' formulas written out, and what collapse looks like."""

import numpy as np
import pytest
import torch

from i2md_mmaction.evaluation import alignment, effective_rank, quality, spread, uniformity
from i2md_mmaction.evaluation.quality import QUALITIES, embedding_quality


@pytest.fixture
def features():
    return torch.randn(12, 5, generator=torch.Generator().manual_seed(0))


def unit(features):
    rows = features.double().numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_alignment_is_the_mean_squared_distance_of_the_pairs(features):
    other = features.flip(0)
    expected = np.mean([np.sum((a - b) ** 2) for a, b in zip(unit(features), unit(other))])
    assert alignment(features, 4 * other) == pytest.approx(expected, rel=1e-12)
    assert alignment(features, 2 * features) == pytest.approx(0, abs=1e-15)
    assert alignment(features, -features) == pytest.approx(4)


def test_uniformity_is_over_all_pairs_of_different_rows(features, monkeypatch):
    rows = unit(features)
    potentials = [np.exp(-2 * np.sum((a - b) ** 2)) for i, a in enumerate(rows) for b in rows[:i]]
    assert uniformity(features) == pytest.approx(np.log(np.mean(potentials)), rel=1e-12)
    # Of more rows than are compared, evenly spaced ones.
    monkeypatch.setattr(quality, '_UNIFORMITY_ROWS', 6)
    assert uniformity(features) == pytest.approx(uniformity(features[::2]), rel=1e-12)


def test_the_spread_of_a_uniform_sphere_is_one_and_of_a_point_zero(features):
    expected = unit(features).std(axis=0).mean() * np.sqrt(5)
    assert spread(features) == pytest.approx(expected, rel=1e-12)
    many = torch.randn(20000, 16, generator=torch.Generator().manual_seed(1))
    assert spread(many) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize('shape', [(12, 5), (5, 12)])
def test_the_rank_is_the_entropy_of_the_singular_values(shape):
    rows = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = np.linalg.svd(rows.double().numpy(), compute_uv=False)
    share = values / values.sum()
    assert effective_rank(rows) == pytest.approx(np.exp(-np.sum(share * np.log(share))), rel=1e-9)
    assert effective_rank(rows @ torch.ones(shape[1], 1) @ torch.ones(1, 7)) == pytest.approx(1, abs=1e-4)
    assert effective_rank(torch.zeros(shape)) == 0


def test_a_collapse_shows_in_every_number(features):
    collapsed = torch.ones(12, 5) + 1e-6 * features
    views = torch.stack((features, features.flip(0)), dim=1)
    sound = embedding_quality(dict(joint=features), dict(joint=views))
    dead = embedding_quality(dict(joint=collapsed), dict(joint=torch.ones(12, 2, 5)))
    assert dead['alignment'] < 1e-9 < sound['alignment']
    assert dead['uniformity'] > -1e-6 > sound['uniformity']
    assert dead['std'] < 1e-5 < sound['std']
    assert dead['rank'] < 1.001 < 3 < sound['rank']


def test_streams_stand_beside_their_mean_and_broken_ones_are_refused(features):
    views = torch.stack((features, features.flip(0)), dim=1)
    values = embedding_quality(
        dict(joint=features, bone=features[:, :3]), dict(joint=views, bone=views[:, :, :3])
    )
    assert set(values) == {f'{name}{stream}' for name in QUALITIES for stream in ('', '_joint', '_bone')}
    assert values['rank'] == pytest.approx((values['rank_joint'] + values['rank_bone']) / 2)
    with pytest.raises(ValueError, match="stream 'joint': 1 of 12 rows are NaN"):
        broken = features.clone()
        broken[3, 1] = float('nan')
        embedding_quality(dict(joint=broken), dict(joint=views))
    with pytest.raises(ValueError, match='the spread of 1 embeddings'):
        embedding_quality(dict(joint=features[:1]), dict(joint=views[:1]))
