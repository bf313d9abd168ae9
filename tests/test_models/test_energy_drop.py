"""The energy-based drop against loops over every element in float64."""

from itertools import product
from math import exp

import pytest
import torch

from i2md_mmaction.models import EnergyDrop


@pytest.fixture
def feature():
    """(B, C, T, V) in which joint 1 of the first sample jumps about."""
    feature = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    feature[0, :, :, 1] *= 8
    return feature


def slow_attention(feature, coefficient):
    """AimCLR, equation 3: element -> sigmoid of a quarter of its relative energy, plus a half."""
    samples, channels, frames, joints = feature.shape
    attention = {}
    for b, c in product(range(samples), range(channels)):
        values = {(t, v): feature[b, c, t, v].item() for t in range(frames) for v in range(joints)}
        mu = sum(values.values()) / len(values)
        spread = sum((value - mu) ** 2 for value in values.values()) / (frames * joints - 1)
        for (t, v), value in values.items():
            energy = (value - mu) ** 2 / (4 * (spread + coefficient)) + 0.5
            attention[b, c, t, v] = 1 / (1 + exp(-energy))
    return attention


def slow_masks(feature, keep_prob, coefficient):
    """Whether each element's joint is kept, and whether its own position is."""
    samples, channels, frames, joints = feature.shape
    attention = slow_attention(feature, coefficient)
    kept_joint = {}
    for b, v in product(range(samples), range(joints)):
        of_joint = [attention[b, c, t, v] for c in range(channels) for t in range(frames)]
        kept_joint[b, v] = sum(of_joint) / len(of_joint) < keep_prob
    by_joint = {index: kept_joint[index[0], index[3]] for index in attention}
    return by_joint, {index: value < keep_prob for index, value in attention.items()}


def slow_drop(feature, keep_prob, coefficient=1e-4):
    """Joints first, then positions, each rescaled by its count over the whole batch."""
    values = {index: float(feature[index]) for index in product(*map(range, feature.shape))}
    for mask in slow_masks(feature, keep_prob, coefficient):
        scale = len(mask) / sum(mask.values())
        values = {index: value * scale if mask[index] else 0.0 for index, value in values.items()}
    return torch.tensor([values[index] for index in sorted(values)]).view(feature.shape)


@pytest.mark.parametrize('coefficient', [1e-4, 0.5])
def test_attention_is_equation_3(feature, coefficient):
    expected = slow_attention(feature, coefficient)
    attention = EnergyDrop(coefficient=coefficient).attention(feature)
    for index, value in expected.items():
        assert attention[index].item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize('keep_prob', [0.66, 0.7, 0.75, 0.9])
def test_joints_then_positions_are_dropped_and_the_rest_rescaled(feature, keep_prob):
    dropped = EnergyDrop(keep_prob)(feature)
    torch.testing.assert_close(dropped, slow_drop(feature, keep_prob), atol=1e-5, rtol=1e-5)


def test_the_fixture_has_dropped_joints_and_dropped_positions_of_kept_ones(feature):
    by_joint, by_position = slow_masks(feature, 0.7, 1e-4)
    assert not any(by_joint[0, c, t, 1] for c in range(3) for t in range(5))
    assert any(by_joint[index] and not by_position[index] for index in by_joint)
    # Both masks see the attention of the whole map: a dropped joint still counts in the second.
    assert any(by_position[index] and not by_joint[index] for index in by_joint)


def test_without_a_joint_above_the_threshold_nothing_of_the_input_changes():
    still = torch.full((2, 3, 4, 5), 2.5)  # every attention is sigmoid(0.5) = 0.62
    assert torch.equal(EnergyDrop(0.7)(still), still)


def test_where_nothing_is_kept_the_input_comes_back(feature):
    assert torch.equal(EnergyDrop(keep_prob=0.6)(feature), feature)


def test_it_is_deterministic_and_leaves_its_input_alone(feature):
    before, drop = feature.clone(), EnergyDrop(0.7).train()
    first = drop(feature)
    assert torch.equal(drop(feature), first) and torch.equal(drop.eval()(feature), first)
    assert torch.equal(feature, before) and not torch.equal(first, feature)
    assert not list(drop.parameters()) and not list(drop.buffers())


def test_the_gradient_passes_kept_elements_only_times_the_rescaling(feature):
    feature.requires_grad_()
    EnergyDrop(0.7)(feature).sum().backward()
    by_joint, by_position = slow_masks(feature, 0.7, 1e-4)
    scale = len(by_joint) / sum(by_joint.values()) * len(by_position) / sum(by_position.values())
    for index, gradient in ((index, feature.grad[index].item()) for index in by_joint):
        kept = by_joint[index] and by_position[index]
        assert gradient == pytest.approx(scale if kept else 0.0, abs=1e-6)


def test_persons_count_as_samples(feature):
    together = EnergyDrop(0.7)(feature.view(1, 2, 3, 5, 4))
    torch.testing.assert_close(together[0], EnergyDrop(0.7)(feature))


def test_the_rescaling_is_shared_by_the_batch_while_the_drop_is_of_each_sample(feature):
    alone, together = EnergyDrop(0.7)(feature[:1])[0], EnergyDrop(0.7)(feature)[0]
    assert torch.equal(alone == 0, together == 0)
    ratio = (alone / together)[alone != 0]
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio))
    assert abs(ratio[0] - 1) > 0.05


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_comes_back_and_is_masked_as_in_float32(feature, dtype):
    half = feature.to(dtype)
    dropped, full = EnergyDrop(0.7)(half), EnergyDrop(0.7)(half.float())
    assert dropped.dtype == dtype and torch.equal(dropped == 0, full == 0)


def test_the_numbers_of_the_paper_are_the_defaults():
    assert (EnergyDrop().keep_prob, EnergyDrop().coefficient) == (0.9, 1e-4)
