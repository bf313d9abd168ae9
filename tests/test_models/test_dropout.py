"""Uniform dropout: as many dropped, as much kept, as torch's."""

import pytest
import torch
from torch import nn

from i2md_mmaction.models.dropout import UniformDropout


@pytest.mark.parametrize('p', [0.1, 0.5, 0.9])
def test_the_share_that_is_dropped_and_the_mean_are_those_asked_for(p):
    torch.manual_seed(0)
    dropped = UniformDropout(p)(torch.ones(999, 1001))
    # Four standard deviations of a million draws.
    assert (dropped == 0).double().mean().item() == pytest.approx(p, abs=4 * 0.0005)
    assert dropped.double().mean().item() == pytest.approx(1, abs=4 * (p / (1 - p)) ** 0.5 / 1000)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - p)])


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float64])
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_type_and_layout_in_memory_stay(dtype, layout):
    x = torch.randn(2, 3, 4, 5).to(dtype, memory_format=layout)
    out = UniformDropout(0.5)(x)
    assert out.dtype == dtype and out.stride() == x.stride()
    assert torch.equal(out, torch.where(out == 0, 0, 2 * x))


def test_neighbouring_elements_are_dropped_apart():
    torch.manual_seed(0)
    kept = (UniformDropout(0.5)(torch.ones(20000, 8)) > 0).double()
    assert (kept.mean(dim=0) - 0.5).abs().max() < 0.015
    assert (torch.corrcoef(kept.T) - torch.eye(8)).abs().max() < 0.03


def test_gradients_pass_where_elements_are_kept():
    x = torch.randn(3, 7, 5, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    out = UniformDropout(0.5)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, (out != 0) * 2.0, check_dtype=False)
    assert 0 < (x.grad == 0).sum() < x.numel()


def test_the_seed_governs_it_and_evaluation_and_certain_odds_need_none():
    x = torch.randn(100)
    layer = UniformDropout(0.5)
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(layer(x))
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert torch.equal(layer.eval()(x), x) and torch.equal(UniformDropout(0.0)(x), x)
    assert not UniformDropout(1.0)(x).any() and isinstance(layer, nn.Dropout)
