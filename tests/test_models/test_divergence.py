"""D3M against nested loops over Python's floats."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from i2md_mmaction.models import DistributionalDivergenceLoss


def similarities(samples=4, rows=9, seed=0):
    """(pos_sim (B,), neg_sim (B, N)) in float64."""
    generator = torch.Generator().manual_seed(seed)
    both = torch.rand(samples, rows + 1, generator=generator, dtype=torch.float64) * 2 - 1
    return both[:, 0].contiguous(), both[:, 1:].contiguous()


def shares(own, row, temperature):
    """Softmax over the key and the bank."""
    exponentials = [exp(similarity / temperature) for similarity in [own, *row]]
    return [exponential / sum(exponentials) for exponential in exponentials]


def slow(normal, extreme, temperature):
    """AimCLR, equations 6 and 7, averaged over the batch."""
    total = 0.0
    for own, row, other, other_row in zip(*(part.tolist() for part in (*normal, *extreme))):
        target, given_ = shares(own, row, temperature), shares(other, other_row, temperature)
        total -= sum(p * log(q) for p, q in zip(target, given_))
    return total / len(normal[0])


@pytest.mark.parametrize('samples, rows', [(1, 1), (1, 9), (4, 2), (5, 33)])
@pytest.mark.parametrize('temperature', [0.07, 0.2, 1.0])
def test_it_is_the_cross_entropy_of_the_equations(samples, rows, temperature):
    normal, extreme = similarities(samples, rows, seed=1), similarities(samples, rows, seed=2)
    loss = DistributionalDivergenceLoss(temperature)(normal, extreme)
    assert loss.item() == pytest.approx(slow(normal, extreme, temperature), abs=1e-6)


def test_a_case_by_hand():
    # Target 3/4 to 1/4, extreme 1/3 to 2/3.
    normal, extreme = (torch.tensor([log(3)]), torch.zeros(1, 1)), (torch.zeros(1), torch.tensor([[log(2)]]))
    expected = -0.75 * log(1 / 3) - 0.25 * log(2 / 3)
    assert DistributionalDivergenceLoss(1.0)(normal, extreme).item() == pytest.approx(expected, abs=1e-6)


def test_no_gradient_reaches_the_target():
    normal, extreme = similarities(seed=1), similarities(seed=2)
    for part in (*normal, *extreme):
        part.requires_grad_()
    DistributionalDivergenceLoss()(normal, extreme).backward()
    assert all(part.grad is None for part in normal)
    assert all(part.grad.any() for part in extreme)


def test_gradients_of_the_extreme_query_are_those_of_finite_differences():
    normal, extreme = similarities(3, seed=1), similarities(3, seed=2)
    loss = DistributionalDivergenceLoss()
    inputs = [part.requires_grad_() for part in extreme]
    assert gradcheck(lambda own, bank: loss(normal, (own, bank)), inputs)


def test_it_keeps_its_value_and_gradient_where_a_softmax_is_zero():
    # In float32 the extreme softmax of the key is exactly 0, and its log would be infinite.
    normal = torch.tensor([1.0]), torch.tensor([[-1.0, -1.0]])
    extreme = torch.tensor([-1.0]).requires_grad_(), torch.tensor([[1.0, -1.0]]).requires_grad_()
    loss = DistributionalDivergenceLoss(temperature=0.001)(normal, extreme)
    loss.backward()
    assert loss.item() == pytest.approx(2000, rel=1e-6)
    torch.testing.assert_close(extreme[0].grad, torch.tensor([-1000.0]))
    torch.testing.assert_close(extreme[1].grad, torch.tensor([[1000.0, 0.0]]))


@given(one=st.integers(0, 1000), two=st.integers(0, 1000), temperature=st.floats(0.05, 2))
def test_it_is_least_where_the_extreme_query_agrees_and_rests_there(one, two, temperature):
    normal, other = similarities(seed=one), similarities(seed=two)
    loss = DistributionalDivergenceLoss(temperature)
    same = [part.clone().requires_grad_() for part in normal]
    least = loss(normal, tuple(same))
    least.backward()
    assert loss(normal, other) >= least - 1e-9
    assert max(part.grad.abs().max() for part in same) < 1e-9


def test_the_temperature_of_the_paper_is_the_default():
    assert DistributionalDivergenceLoss().temperature == 0.07
