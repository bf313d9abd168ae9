"""Dropout by bytes: as many dropped, as much kept, as torch's."""

import pytest
import torch
from torch import nn

from i2md_mmaction.models.dropout import ByteDropout


@pytest.mark.parametrize('p', [0.1, 0.5, 0.9])
def test_the_share_that_is_dropped_and_the_mean_are_those_asked_for(p):
    torch.manual_seed(0)
    dropped = ByteDropout(p)(torch.ones(999, 1001))
    # Rounded to 256ths, and four standard deviations of a million draws.
    assert (dropped == 0).double().mean().item() == pytest.approx(p, abs=1 / 512 + 4 * 0.0005)
    assert dropped.double().mean().item() == pytest.approx(1, abs=4 * (p / (1 - p)) ** 0.5 / 1000)
    assert dropped.unique().tolist() == pytest.approx([0, 256 / (256 - round(256 * p))])


def test_the_eight_elements_of_a_number_are_dropped_apart():
    torch.manual_seed(0)
    kept = (ByteDropout(0.5)(torch.ones(20000, 8)) > 0).double()
    assert (kept.mean(dim=0) - 0.5).abs().max() < 0.015
    assert (torch.corrcoef(kept.T) - torch.eye(8)).abs().max() < 0.03


def test_gradients_pass_where_elements_are_kept():
    x = torch.randn(3, 7, 5, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    out = ByteDropout(0.5)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, (out != 0) * 2.0, check_dtype=False)
    assert 0 < (x.grad == 0).sum() < x.numel()


def test_the_seed_governs_it_and_evaluation_and_zero_odds_change_nothing():
    x = torch.randn(100)
    layer = ByteDropout(0.5)
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(layer(x))
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert torch.equal(layer.eval()(x), x) and torch.equal(ByteDropout(0.0)(x), x)
    assert isinstance(layer, nn.Dropout)
