"""Shear and joint corruption against loops over every coordinate vector."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from i2md_mmaction.augmentations import JointCorruption, Shear


def skeletons(batch=4, frames=6, joints=25, seed=0):
    """A batch (B, 2, T, V, 3) whose second person is absent from every other sample."""
    keypoint = torch.randn(batch, 2, frames, joints, 3, generator=torch.Generator().manual_seed(seed))
    keypoint[::2, 1] = 0
    return keypoint, torch.full((batch,), frames)


def multiplied(matrix, vector):
    """Matrix times vector, entry by entry, in float64."""
    return [sum(float(matrix[i, j]) * float(vector[j]) for j in range(3)) for i in range(3)]


def test_shear_multiplies_every_vector_by_the_matrix_of_its_sample():
    keypoint, _ = skeletons(batch=2, frames=2, joints=3)
    matrix = torch.tensor([[[1, 0.5, 0], [0, 1, 0], [-1, 0, 1]], [[1, 0, 0], [0.25, 1, 2], [0, 0, 1.0]]])
    sheared = Shear().apply(keypoint, matrix=matrix)
    for index in torch.cartesian_prod(*map(torch.arange, keypoint.shape[:-1])).tolist():
        expected = multiplied(matrix[index[0]], keypoint[tuple(index)])
        torch.testing.assert_close(sheared[tuple(index)].tolist(), expected, atol=1e-6, rtol=1e-6)


def test_a_point_of_a_shear_by_hand():
    matrix = torch.tensor([[[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]]])
    point = torch.tensor([2.0, 4.0, 6.0]).view(1, 1, 1, 1, 3)
    assert Shear().apply(point, matrix).flatten().tolist() == [4.0, 4.0, 4.0]


@given(amplitude=st.floats(0.01, 2), seed=st.integers(0, 1000))
def test_a_drawn_shear_has_unit_diagonal_and_keeps_to_its_amplitude(amplitude, seed):
    keypoint, lengths = skeletons()
    matrix = Shear(amplitude).draw(keypoint, lengths, torch.Generator().manual_seed(seed))['matrix']
    assert matrix.shape == (4, 3, 3)
    assert torch.equal(matrix.diagonal(dim1=1, dim2=2), torch.ones(4, 3))
    off = matrix[:, ~torch.eye(3, dtype=torch.bool)]
    assert (off.abs() <= amplitude * (1 + 1e-6)).all()
    assert len(off.unique()) == off.numel()  # a draw per sample and entry


def test_shear_entries_fill_their_range_on_both_sides():
    keypoint, lengths = skeletons(batch=2000, frames=1, joints=1)
    matrix = Shear(0.5).draw(keypoint, lengths, torch.Generator().manual_seed(0))['matrix']
    off = matrix[:, ~torch.eye(3, dtype=torch.bool)]
    assert off.min() < -0.49 and off.max() > 0.49 and abs(off.mean()) < 0.02


@pytest.mark.parametrize('augmentation', [Shear(), JointCorruption(num_joints=15)])
def test_augmenting_is_linear_for_fixed_draws(augmentation):
    a, lengths = skeletons(seed=1)
    b, _ = skeletons(seed=2)
    drawn = augmentation.draw(a, lengths, torch.Generator().manual_seed(3))
    torch.testing.assert_close(
        augmentation.apply(2 * a - 3 * b, **drawn),
        2 * augmentation.apply(a, **drawn) - 3 * augmentation.apply(b, **drawn),
        atol=1e-5,
        rtol=1e-5,
    )


@pytest.mark.parametrize('augmentation', [Shear(), JointCorruption(num_joints=15)])
def test_an_absent_person_stays_zero(augmentation):
    keypoint, lengths = skeletons()
    augmented, _ = augmentation.augment(keypoint, lengths)
    assert not augmented[::2, 1].any()
    assert augmented[1::2, 1].any()


def test_corruption_multiplies_the_chosen_joints_and_leaves_the_others():
    keypoint, _ = skeletons(batch=2, frames=2, joints=4)
    corrupted = torch.tensor([[True, False, False, True], [False, False, True, False]])
    matrix = torch.stack([torch.tensor([[0, 1.0, 0], [0.5, 0, 0], [0, 0, -1]]), torch.zeros(3, 3)])
    result = JointCorruption(num_joints=2).apply(keypoint, corrupted=corrupted, matrix=matrix)
    for index in torch.cartesian_prod(*map(torch.arange, keypoint.shape[:-1])).tolist():
        before, after = keypoint[tuple(index)], result[tuple(index)]
        if corrupted[index[0], index[3]]:
            torch.testing.assert_close(
                after.tolist(), multiplied(matrix[index[0]], before), atol=1e-6, rtol=1e-6
            )
        else:
            assert torch.equal(after, before)


@given(num_joints=st.integers(0, 25), seed=st.integers(0, 1000))
def test_exactly_so_many_joints_of_each_sample_are_corrupted_in_all_frames(num_joints, seed):
    keypoint = torch.rand(6, 2, 3, 25, 3) + 0.5
    augmentation = JointCorruption(num_joints)
    drawn = augmentation.draw(keypoint, torch.full((6,), 3), torch.Generator().manual_seed(seed))
    changed = (augmentation.apply(keypoint, **drawn) != keypoint).any(dim=-1)  # (B, M, T, V)
    assert changed.sum(dim=-1).unique().tolist() == [num_joints]
    assert torch.equal(changed.any(dim=(1, 2)), changed.all(dim=1).all(dim=1))


def test_half_of_the_samples_have_their_joints_zeroed():
    keypoint, lengths = skeletons(batch=2000, frames=1)
    drawn = JointCorruption().draw(keypoint, lengths, torch.Generator().manual_seed(0))
    zeroed = ~drawn['matrix'].any(dim=(1, 2))
    assert 900 < int(zeroed.sum()) < 1100
    entries = drawn['matrix'][~zeroed]
    assert entries.min() < -0.99 and entries.max() > 0.99 and entries.abs().max() <= 1
    # Zeroed or not, every joint is as often among the chosen: 15 of 25 times.
    assert ((drawn['corrupted'].float().mean(dim=0) - 0.6).abs() < 0.06).all()


def test_samples_of_a_batch_draw_joints_and_matrices_of_their_own():
    keypoint, lengths = skeletons(batch=16)
    drawn = JointCorruption().draw(keypoint, lengths, torch.Generator().manual_seed(0))
    assert len({tuple(row) for row in drawn['corrupted'].tolist()}) == 16
    kept = drawn['matrix'][drawn['matrix'].any(dim=(1, 2))]
    assert len(kept) > 1 and len(kept.unique()) == kept.numel()


def test_more_corrupted_joints_than_the_skeleton_has_are_refused():
    keypoint, lengths = skeletons(joints=14)
    with pytest.raises(ValueError, match=r'num_joints=15.*14 joints; lower num_joints'):
        JointCorruption().augment(keypoint, lengths)
