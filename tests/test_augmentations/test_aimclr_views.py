"""The views of AimCLR against NumPy in float64, by property, and as the configs build them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config

from i2md_mmaction.augmentations import (
    AxisMask,
    GaussianNoise,
    RandomRotation,
    SpatialFlip,
    TemporalFlip,
    TemporalGaussianBlur,
    TemporalMirrorCrop,
    build_augmentation,
)
from i2md_mmaction.skeletons import get_layout

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / '_base_' / 'methods' / 'aimclr.py'
LAYOUTS = ['ntu25', 'kinect20', 'coco17', 'openpose18']
WITH_ODDS = [TemporalFlip, TemporalGaussianBlur, SpatialFlip, GaussianNoise, AxisMask]


def skeletons(batch=3, frames=20, joints=25, seed=0):
    """A batch (B, 2, T, V, 3), all frames valid."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 2, frames, joints, 3, generator=generator), torch.full((batch,), frames)


def cropped(x, start):
    """Mirrored ends, then a slice."""
    padding = x.shape[1] // 6
    ends = x[:, :padding][:, ::-1], x[:, -padding:][:, ::-1]
    return np.concatenate((ends[0], x, ends[1]), axis=1)[:, start : start + x.shape[1]]


def turned(x, angles):
    """About x, y and z in turn, by the matrices of the released code."""
    (a, b, c), cos, sin = angles, np.cos, np.sin
    matrices = (
        [[1, 0, 0], [0, cos(a), sin(a)], [0, -sin(a), cos(a)]],
        [[cos(b), 0, -sin(b)], [0, 1, 0], [sin(b), 0, cos(b)]],
        [[cos(c), sin(c), 0], [-sin(c), cos(c), 0], [0, 0, 1]],
    )
    for matrix in matrices:
        x = x @ np.array(matrix).T
    return x


def blurred(x, sigma, normalize=False):
    """Each series convolved with 15 taps; frames outside are zero."""
    kernel = np.exp(-(np.arange(-7, 8) ** 2) / (2 * sigma**2))
    kernel = kernel / kernel.sum() if normalize else kernel
    return np.apply_along_axis(lambda series: np.convolve(series, kernel)[7:-7], 1, x)


def twins(names):
    """For each joint the number of its left or right twin, by the names."""
    swap = dict(left='right', right='left')
    return [names.index('_'.join(swap.get(word, word) for word in name.split('_'))) for name in names]


def swapped(x):
    """Left and right joints of NTU exchanged."""
    return np.stack([x[:, :, twin] for twin in twins(get_layout('ntu25').joints)], axis=2)


def masked(x, axis):
    return np.stack([x[..., c] * (c != axis) for c in range(3)], axis=-1)


NOISE = torch.randn(3, 2, 20, 25, 3, generator=torch.Generator().manual_seed(5))
SIGMA = torch.tensor([0.1, 0.8, 2.0])
ANGLES = torch.tensor([[0.5, 0.01, 0.0], [0.0, 0.3, 0.02], [0.2, -0.4, 1.5]])
CASES = [
    (TemporalMirrorCrop(), dict(start=torch.tensor([0, 3, 6])), cropped),
    (TemporalFlip(p=1), {}, lambda x: x[:, ::-1]),
    (TemporalGaussianBlur(p=1), dict(sigma=SIGMA), blurred),
    (TemporalGaussianBlur(normalize=True, p=1), dict(sigma=SIGMA), lambda x, sigma: blurred(x, sigma, True)),
    (SpatialFlip(p=1), {}, swapped),
    (RandomRotation(), dict(angles=ANGLES), turned),
    (GaussianNoise(p=1), dict(noise=NOISE), lambda x, noise: x + noise),
    (AxisMask(p=1), dict(axis=torch.tensor([2, 0, 1])), masked),
]
EACH = pytest.mark.parametrize(
    'augmentation, drawn, by_hand', CASES, ids=[type(c[0]).__name__ for c in CASES]
)


@EACH
def test_a_fixed_draw_gives_what_numpy_gives(augmentation, drawn, by_hand):
    keypoint, _ = skeletons()
    before = keypoint.clone()
    augmented = augmentation.apply(keypoint, **drawn)
    for index, sample in enumerate(keypoint.double().numpy()):
        own = {name: values[index].double().numpy() for name, values in drawn.items()}
        own = {name: int(value) if name in ('start', 'axis') else value for name, value in own.items()}
        np.testing.assert_allclose(augmented[index], by_hand(sample, **own), atol=1e-5, rtol=1e-5)
    assert torch.equal(keypoint, before)


@EACH
def test_a_pipeline_sample_becomes_what_it_becomes_in_a_batch(augmentation, drawn, by_hand, monkeypatch):
    keypoint, lengths = skeletons()
    monkeypatch.setattr(augmentation, 'draw', lambda *_: drawn)
    batched, after = augmentation.augment(keypoint, lengths)
    for index, sample in enumerate(keypoint.numpy()):
        own = {name: values[index : index + 1] for name, values in drawn.items()}
        monkeypatch.setattr(augmentation, 'draw', lambda *_, own=own: own)
        before = sample.copy()
        results = augmentation.transform(dict(keypoint=sample, total_frames=20))
        np.testing.assert_allclose(results['keypoint'], batched[index], atol=1e-6)
        np.testing.assert_array_equal(sample, before)
        assert results['total_frames'] == after[index] == 20


@EACH
def test_what_a_seed_draws_for_a_batch_of_one_it_draws_for_a_pipeline_sample(augmentation, drawn, by_hand):
    keypoint, lengths = skeletons(batch=1)
    torch.manual_seed(5)
    batched, _ = augmentation.augment(keypoint, lengths)
    torch.manual_seed(5)
    alone = augmentation.transform(dict(keypoint=keypoint[0].numpy()))['keypoint']
    np.testing.assert_array_equal(alone, batched[0])
    assert not np.array_equal(alone, keypoint[0])


@pytest.mark.parametrize('augmentation', WITH_ODDS)
def test_odds_of_zero_and_one_are_exact_and_leave_the_input_alone(augmentation):
    keypoint, lengths = skeletons(batch=50)
    before = keypoint.clone()
    assert torch.equal(augmentation(p=0.0).augment(keypoint, lengths)[0], keypoint)
    certain = augmentation(p=1.0)
    augmented, after = certain.augment(keypoint, lengths, torch.Generator().manual_seed(0))
    drawn = certain.draw(keypoint, lengths, torch.Generator().manual_seed(0))
    assert torch.equal(augmented, certain.apply(keypoint, **drawn)) and not torch.equal(augmented, keypoint)
    assert torch.equal(keypoint, before) and torch.equal(after, lengths)


@pytest.mark.parametrize('augmentation', WITH_ODDS)
def test_by_default_half_of_the_samples_are_augmented_each_wholly_or_not(augmentation):
    keypoint, lengths = skeletons(batch=1000, frames=4)
    chosen = augmentation()
    augmented, _ = chosen.augment(keypoint, lengths, torch.Generator().manual_seed(0))
    # The draws come before the odds, so that one seed gives both the same.
    drawn = chosen.draw(keypoint, lengths, torch.Generator().manual_seed(0))
    whole = chosen.apply(keypoint, **drawn)
    changed = (augmented != keypoint).flatten(1).any(dim=1)
    assert 430 < int(changed.sum()) < 570
    assert torch.equal(augmented[changed], whole[changed])


def test_mirror_crop_repeats_the_end_frames_by_hand():
    frames = torch.arange(12.0).view(1, 1, 12, 1, 1).repeat(3, 1, 1, 1, 1)
    crops = TemporalMirrorCrop().apply(frames, start=torch.tensor([0, 2, 4])).flatten(1)
    assert crops[0].tolist() == [1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert crops[1].tolist() == list(range(12))
    assert crops[2].tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 10]


@pytest.mark.parametrize('frames, starts', [(50, 17), (12, 5), (5, 1)])
def test_every_start_of_a_mirror_crop_is_drawn_and_none_beyond(frames, starts):
    keypoint, lengths = skeletons(batch=600, frames=frames, joints=1)
    drawn = TemporalMirrorCrop().draw(keypoint, lengths, torch.Generator().manual_seed(0))
    assert drawn['start'].unique().tolist() == list(range(starts))
    assert TemporalMirrorCrop().apply(keypoint, **drawn).shape == keypoint.shape


@pytest.mark.parametrize('augmentation', [TemporalFlip(p=1), SpatialFlip(p=1)])
def test_a_flip_done_twice_is_the_identity(augmentation):
    keypoint, lengths = skeletons()
    once, _ = augmentation.augment(keypoint, lengths)
    assert not torch.equal(once, keypoint)
    assert torch.equal(augmentation.augment(once, lengths)[0], keypoint)


@pytest.mark.parametrize('name', LAYOUTS)
def test_a_spatial_flip_swaps_left_and_right_and_mirrors_no_coordinate(name):
    names = get_layout(name).joints
    keypoint, _ = skeletons(joints=len(names))
    flipped = SpatialFlip(name, p=1).apply(keypoint)
    for number, twin in enumerate(twins(names)):
        assert torch.equal(flipped[..., number, :], keypoint[..., twin, :])


@given(seed=st.integers(0, 1000))
def test_a_rotation_is_linear_and_keeps_the_length_of_every_bone(seed):
    (a, lengths), (b, _) = skeletons(seed=1), skeletons(seed=2)
    rotation, parents = RandomRotation(main_degrees=180, other_degrees=90), list(get_layout('ntu25').parents)
    drawn = rotation.draw(a, lengths, torch.Generator().manual_seed(seed))
    one, two = rotation.apply(a, **drawn), rotation.apply(b, **drawn)
    torch.testing.assert_close(rotation.apply(2 * a - 3 * b, **drawn), 2 * one - 3 * two, atol=2e-5, rtol=0)
    bones = (a - a[..., parents, :]).norm(dim=-1)
    torch.testing.assert_close((one - one[..., parents, :]).norm(dim=-1), bones, atol=2e-5, rtol=0)
    assert not torch.allclose(one, a, atol=1e-3)


def test_one_axis_of_three_turns_far_and_the_others_within_a_degree():
    keypoint, lengths = skeletons(batch=1500, frames=1, joints=1)
    angles = RandomRotation().draw(keypoint, lengths, torch.Generator().manual_seed(0))['angles'].rad2deg()
    assert angles.shape == (1500, 3) and angles.min() >= 0
    far = angles > 1 + 1e-4
    assert far.sum(dim=1).max() == 1
    assert ((far.float().mean(dim=0) - 29 / 90).abs() < 0.04).all()
    main, other = angles[far], angles[far.any(dim=1)[:, None] & ~far]
    assert 29.5 < main.max() <= 30 + 1e-4 and abs(main.mean() - 15.5) < 1
    assert other.max() > 0.99 and abs(other.mean() - 0.5) < 0.03


@pytest.mark.parametrize('std', [0.01, 0.3])
def test_noise_has_its_standard_deviation_and_is_another_for_each_number(std):
    keypoint, lengths = skeletons(batch=40)
    noise = GaussianNoise(std, p=1).augment(keypoint, lengths, torch.Generator().manual_seed(0))[0] - keypoint
    assert noise.std().item() == pytest.approx(std, rel=0.02)
    assert abs(noise.mean().item()) < 0.02 * std
    for dim in range(noise.dim()):
        # The mean of n independent numbers varies sqrt(n) times less; that of n equal ones does not.
        expected = std / noise.size(dim) ** 0.5
        assert noise.mean(dim=dim).std().item() == pytest.approx(expected, rel=0.1)


def test_the_default_blur_of_an_impulse_is_the_kernel_of_the_authors():
    impulse = torch.zeros(1, 1, 21, 1, 1)
    impulse[:, :, 10] = 1
    result = TemporalGaussianBlur(p=1).apply(impulse, sigma=torch.tensor([5.0])).flatten()
    expected = [np.exp(-((t - 10) ** 2) / 50) if abs(t - 10) <= 7 else 0.0 for t in range(21)]
    np.testing.assert_allclose(result, expected, atol=1e-6)


@given(sigma=st.floats(0.1, 2), value=st.floats(-2, 2))
def test_a_normalised_blur_keeps_a_constant_away_from_the_ends(sigma, value):
    constant = torch.full((1, 2, 20, 3, 3), value)
    blur = TemporalGaussianBlur(normalize=True, p=1).apply(constant, sigma=torch.tensor([sigma]))
    torch.testing.assert_close(blur[:, :, 7:-7], constant[:, :, 7:-7], atol=1e-5, rtol=0)
    raw = TemporalGaussianBlur(p=1).apply(constant, sigma=torch.tensor([sigma]))
    amplified = value * sum(np.exp(-(k**2) / (2 * sigma**2)) for k in range(-7, 8))
    torch.testing.assert_close(raw[:, :, 7:-7], torch.full_like(raw[:, :, 7:-7], amplified))


def test_the_widths_of_blurs_fill_their_range_one_for_each_sample():
    keypoint, lengths = skeletons(batch=1000, frames=1, joints=1)
    sigma = TemporalGaussianBlur().draw(keypoint, lengths, torch.Generator().manual_seed(0))['sigma']
    assert sigma.shape == (1000,) and len(sigma.unique()) > 990
    assert 0.1 <= sigma.min() < 0.12 and 1.98 < sigma.max() <= 2 and abs(sigma.mean() - 1.05) < 0.06


def test_an_axis_mask_zeroes_one_coordinate_of_a_sample_and_each_as_often():
    keypoint, lengths = skeletons(batch=900, frames=3)
    augmented, _ = AxisMask(p=1).augment(keypoint, lengths, torch.Generator().manual_seed(0))
    zero = (augmented == 0).flatten(1, 3)
    assert torch.equal(zero.any(dim=1), zero.all(dim=1))
    assert (zero.all(dim=1).sum(dim=1) == 1).all()
    assert torch.equal(augmented[augmented != 0], keypoint[augmented != 0])
    assert ((zero.all(dim=1).float().mean(dim=0) - 1 / 3).abs() < 0.05).all()


@pytest.mark.parametrize('layout', ['ntu25', 'kinect20'])
def test_the_views_of_the_config_run_on_a_ragged_batch_in_the_order_of_the_paper(layout):
    config = Config.fromfile(CONFIG)
    normal, other, extreme = config.model.data_preprocessor.train_views
    assert normal == other
    order = ['TemporalCenterResize', 'TemporalMirrorCrop', 'Shear', 'SpatialFlip', 'RandomRotation']
    order += ['GaussianNoise', 'TemporalGaussianBlur', 'AxisMask', 'TemporalFlip']
    assert [step['type'] for step in extreme] == order and [step['type'] for step in normal] == order[:3]
    probabilities = {step['type']: step['p'] for step in extreme if 'p' in step}
    assert probabilities.pop('TemporalFlip') == 0
    assert set(probabilities.values()) == {0.5} and len(probabilities) == 4

    joints = get_layout(layout).num_joints
    keypoint, _ = skeletons(batch=5, frames=70, joints=joints)
    lengths = torch.tensor([70, 1, 33, 50, 6])
    views = [
        build_augmentation(view, layout).augment(keypoint, lengths) for view in (normal, normal, extreme)
    ]
    for view, after in views:
        assert view.shape == (5, 2, 50, joints, 3) and after.tolist() == [50] * 5
        assert view.isfinite().all()
    assert not any(torch.allclose(views[a][0], views[b][0]) for a, b in ((0, 1), (0, 2), (1, 2)))
