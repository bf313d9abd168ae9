"""The augmentations on joints of two coordinates, as images give them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from i2md_mmaction.augmentations import AxisMask, JointCorruption, RandomRotation, Shear


def batch(seed=0, samples=64):
    return torch.randn(samples, 2, 5, 17, 2, generator=torch.Generator().manual_seed(seed))


def augmented(augmentation, keypoint, seed=0):
    lengths = torch.full((len(keypoint),), keypoint.size(2))
    return augmentation.augment(keypoint, lengths, torch.Generator().manual_seed(seed))[0]


def test_a_body_in_a_plane_turns_in_it_by_up_to_the_main_angle():
    keypoint = batch(samples=512)
    rotation = RandomRotation(main_degrees=30, other_degrees=1)
    drawn = rotation.draw(keypoint, torch.full((512,), 5), torch.Generator().manual_seed(0))['angles']
    assert drawn.shape == (512, 1) and 0 <= drawn.min() < math.radians(1)
    assert math.radians(29) < drawn.max() <= math.radians(30)
    turned = rotation.apply(keypoint, drawn)
    for sample in (0, 100, 511):
        cos, sin = math.cos(drawn[sample]), math.sin(drawn[sample])
        x, y = keypoint[sample].double().unbind(-1)
        expected = torch.stack([cos * x + sin * y, cos * y - sin * x], dim=-1).float()
        torch.testing.assert_close(turned[sample], expected)


def test_it_is_the_turn_about_z_of_the_same_body_in_space():
    keypoint, angle = batch(), torch.full((64, 1), 0.4)
    space = torch.cat([keypoint, torch.ones(*keypoint.shape[:-1], 1)], dim=-1)
    turned = RandomRotation().apply(space, torch.cat([torch.zeros(64, 2), angle], dim=1))
    torch.testing.assert_close(RandomRotation().apply(keypoint, angle), turned[..., :2])
    torch.testing.assert_close(turned[..., 2], space[..., 2])


@pytest.mark.parametrize('coordinates', [1, 4])
def test_joints_that_cannot_be_turned_are_refused(coordinates):
    with pytest.raises(ValueError, match=f'turns joints of 2 or 3 coordinates, got {coordinates}'):
        augmented(RandomRotation(), torch.ones(2, 1, 3, 17, coordinates))


def test_the_mask_takes_either_coordinate_and_leaves_the_other():
    keypoint = batch()
    masked = augmented(AxisMask(p=1), keypoint)
    kept = (masked == keypoint).flatten(1, 3).all(dim=1)  # (B, C)
    gone = (masked == 0).flatten(1, 3).all(dim=1)
    assert torch.equal(kept, ~gone) and (kept.sum(dim=1) == 1).all()
    assert {tuple(row) for row in kept.tolist()} == {(True, False), (False, True)}


@given(seed=st.integers(0, 1000))
def test_a_shear_mixes_the_two_and_keeps_each_as_it_is(seed):
    keypoint = batch(seed, samples=8)
    shear = Shear(amplitude=0.5)
    matrix = shear.draw(keypoint, torch.full((8,), 5), torch.Generator().manual_seed(seed))['matrix']
    assert matrix.shape == (8, 2, 2) and (matrix.diagonal(dim1=1, dim2=2) == 1).all()
    x, y = keypoint.unbind(-1)
    by_y, by_x = matrix[:, 0, 1].view(-1, 1, 1, 1), matrix[:, 1, 0].view(-1, 1, 1, 1)
    torch.testing.assert_close(shear.apply(keypoint, matrix), torch.stack([x + by_y * y, y + by_x * x], -1))


def test_joint_corruption_changes_as_many_joints_as_in_space():
    keypoint = batch()
    changed = (augmented(JointCorruption(num_joints=10), keypoint) != keypoint).any(dim=-1)
    assert changed.sum(dim=-1).unique().tolist() == [10]
