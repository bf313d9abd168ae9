"""Both forms of neighbour mining against nested loops over Python's floats."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from i2md_mmaction.models import InfoNCELoss, NeighborMiningLoss

FORMS = ['mean_log', 'log_sum']
SIZES = [(1, 1), (1, 9), (4, 2), (5, 33)]


def batch(samples, rows, seed=0, share=0.3):
    """Similarities to key and bank in float64, and which rows are mined."""
    generator = torch.Generator().manual_seed(seed)
    own, bank, odds = (
        torch.rand(samples, n, generator=generator, dtype=torch.float64) for n in (1, rows, rows)
    )
    return own[:, 0] * 2 - 1, bank * 2 - 1, odds < share


def slow(pos_sim, bank_sim, mined, temperature, form):
    """AimCLR's released loss and its equation 9, averaged over the batch."""
    total = 0.0
    for own, row, chosen in zip(pos_sim.tolist(), bank_sim.tolist(), mined.tolist()):
        denominator = exp(own / temperature) + sum(exp(similarity / temperature) for similarity in row)
        positives = [own] + [similarity for similarity, is_mined in zip(row, chosen) if is_mined]
        shares = [exp(similarity / temperature) / denominator for similarity in positives]
        if form == 'mean_log':
            total -= sum(log(share) for share in shares) / len(shares)
        else:
            total -= log(sum(shares))
    return total / len(pos_sim)


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('samples, rows', SIZES)
@pytest.mark.parametrize('temperature', [0.07, 1.0])
def test_each_form_is_its_formula(form, samples, rows, temperature):
    inputs = batch(samples, rows)
    expected = slow(*inputs, temperature, form)
    assert NeighborMiningLoss(temperature, form)(*inputs).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    'form, expected', [('mean_log', -log(1 / 2) / 2 - log(1 / 4) / 2), ('log_sum', -log(3 / 4))]
)
def test_a_case_by_hand(form, expected):
    # Half of the probability on the key, a quarter on each row, the first of them mined.
    bank, mined = torch.zeros(1, 2), torch.tensor([[True, False]])
    loss = NeighborMiningLoss(temperature=1.0, form=form)(torch.tensor([log(2)]), bank, mined)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('form', FORMS)
def test_with_nothing_mined_it_is_info_nce(form):
    pos_sim, bank_sim, mined = batch(5, 33)
    loss = NeighborMiningLoss(form=form)(pos_sim, bank_sim, torch.zeros_like(mined))
    assert loss.item() == pytest.approx(InfoNCELoss()(pos_sim, bank_sim).item(), abs=1e-9)


@given(seed=st.integers(0, 10000), share=st.floats(0, 1), temperature=st.floats(0.05, 2))
def test_the_log_of_the_sum_is_never_above_the_mean_of_the_logs(seed, share, temperature):
    # Jensen, and a sum of shares is no less than their mean.
    inputs = batch(3, 8, seed, share)
    log_sum, mean_log = (NeighborMiningLoss(temperature, form)(*inputs) for form in ('log_sum', 'mean_log'))
    assert log_sum <= mean_log + 1e-9
    if inputs[2].any():
        assert log_sum < mean_log


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('share', [0.0, 0.3, 1.0])
def test_gradients_are_those_of_finite_differences(form, share):
    pos_sim, bank_sim, mined = batch(3, 9, share=share)
    loss = NeighborMiningLoss(form=form)
    assert gradcheck(
        lambda own, bank: loss(own, bank, mined), (pos_sim.requires_grad_(), bank_sim.requires_grad_())
    )


@pytest.mark.parametrize('form', FORMS)
def test_value_and_gradient_stay_finite_where_exponentials_overflow(form):
    pos_sim, bank_sim = (
        torch.tensor([-1.0]).requires_grad_(),
        torch.tensor([[1.0, -1.0, 1.0]]).requires_grad_(),
    )
    mined = torch.tensor([[False, True, False]])
    loss = NeighborMiningLoss(temperature=0.001, form=form)(pos_sim, bank_sim, mined)
    loss.backward()
    # Each positive has e**-2000 of each of two negatives.
    expected = 2000 + log(2) - (log(2) if form == 'log_sum' else 0)
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    assert pos_sim.grad.isfinite().all() and bank_sim.grad.isfinite().all()


def test_mining_pulls_the_mined_row_instead_of_pushing_it():
    pos_sim, bank_sim, mined = batch(4, 9, seed=1)
    for form in FORMS:
        bank = bank_sim.clone().requires_grad_()
        NeighborMiningLoss(temperature=1.0, form=form)(pos_sim, bank, mined).backward()
        assert mined.any() and (bank.grad[mined] < 0).all() and (bank.grad[~mined] > 0).all()


def test_the_form_of_the_authors_is_the_default_and_an_unknown_one_is_refused():
    assert (NeighborMiningLoss().form, NeighborMiningLoss().temperature) == ('mean_log', 0.07)
    with pytest.raises(ValueError, match=r"must be one of \('mean_log', 'log_sum'\), got 'sum_log'"):
        NeighborMiningLoss(form='sum_log')
