"""Crop and resize against torch's own interpolation of the cropped part."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from i2md_mmaction.augmentations import TemporalCenterResize, TemporalCropResize


def batch(*lengths, seed=0, joints=5):
    """A padded batch (B, 2, T, joints, 3) whose padding is not a number, and its lengths."""
    generator = torch.Generator().manual_seed(seed)
    keypoint = torch.full((len(lengths), 2, max(lengths), joints, 3), torch.nan)
    for sample, frames in zip(keypoint, lengths):
        sample[:, :frames] = torch.randn(2, frames, joints, 3, generator=generator)
    return keypoint, torch.tensor(lengths)


def interpolated(part, num_frames):
    """Resizes one sample's (M, T, V, C) by torch, in float64."""
    rows = part.double().permute(0, 2, 3, 1).flatten(0, 2)[:, None]  # (M * V * C, 1, T)
    rows = interpolate(rows, size=num_frames, mode='linear', align_corners=False)
    return rows.view(part.size(0), *part.shape[2:], num_frames).permute(0, 3, 1, 2)


@pytest.mark.parametrize('num_frames', [1, 2, 7, 16, 64])
def test_a_span_is_resized_as_torch_interpolates_it(num_frames):
    keypoint, _ = batch(40, 40, 9, 1, 16)
    start, span = torch.tensor([3, 0, 2, 0, 0]), torch.tensor([30, 40, 5, 1, 16])
    resized = TemporalCropResize(num_frames=num_frames).apply(keypoint, start=start, span=span)
    for sample, view, first, frames in zip(keypoint, resized, start, span):
        expected = interpolated(sample[:, first : first + frames], num_frames)
        torch.testing.assert_close(view.double(), expected, atol=1e-5, rtol=0)


def test_a_span_of_as_many_frames_as_wanted_is_copied():
    keypoint, _ = batch(20)
    resized = TemporalCropResize(num_frames=8).apply(keypoint, torch.tensor([5]), torch.tensor([8]))
    assert torch.equal(resized, keypoint[:, :, 5:13])


def test_a_sample_of_one_frame_is_that_frame_repeated():
    keypoint, lengths = batch(1, 12)
    resized, _ = TemporalCropResize(num_frames=6).augment(keypoint, lengths)
    assert torch.equal(resized[0], keypoint[0, :, :1].expand(2, 6, 5, 3))


def test_padding_never_reaches_a_view():
    keypoint, lengths = batch(1, 2, 3, 50, 63, 64, 65, 200)
    for augmentation in (TemporalCropResize(), TemporalCropResize(min_frames=1), TemporalCenterResize()):
        assert augmentation.augment(keypoint, lengths)[0].isfinite().all()


def test_all_frames_of_a_resized_view_are_valid():
    keypoint, lengths = batch(3, 90)
    for augmentation in (TemporalCropResize(num_frames=10), TemporalCenterResize(num_frames=10)):
        view, valid = augmentation.augment(keypoint, lengths)
        assert view.shape == (2, 2, 10, 5, 3) and valid.tolist() == [10, 10]


@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=20),
    low=st.floats(0.05, 1),
    high=st.floats(0.05, 1),
    min_frames=st.integers(1, 80),
    seed=st.integers(0, 1000),
)
def test_drawn_spans_keep_to_the_ratio_and_to_the_valid_frames(lengths, low, high, min_frames, seed):
    low, high = sorted((low, high))
    augmentation = TemporalCropResize(ratio=(low, high), min_frames=min_frames)
    keypoint, frames = torch.zeros(len(lengths), 1, 1, 1, 3), torch.tensor(lengths)
    drawn = augmentation.draw(keypoint, frames, torch.Generator().manual_seed(seed))
    for length, start, span in zip(lengths, drawn['start'].tolist(), drawn['span'].tolist()):
        assert 0 <= start <= length - span
        # The draw is a float32, whose product may fall on either side of a whole number.
        smallest = min(length, max(min_frames, int(low * length * (1 - 1e-6))))
        largest = min(length, max(min_frames, int(high * length * (1 + 1e-6))))
        assert smallest <= span <= largest


def test_spans_and_starts_fill_their_range():
    lengths = torch.full((4000,), 100)
    keypoint = torch.zeros(4000, 1, 1, 1, 3)
    drawn = TemporalCropResize(ratio=(0.5, 0.7), min_frames=1).draw(
        keypoint, lengths, torch.Generator().manual_seed(0)
    )
    assert set(drawn['span'].tolist()) == set(range(50, 70))
    shortest = drawn['start'][drawn['span'] == 50]
    assert shortest.min() == 0 and shortest.max() == 50


def test_samples_of_a_batch_draw_spans_of_their_own():
    drawn = TemporalCropResize(min_frames=1).draw(
        torch.zeros(64, 1, 1, 1, 3), torch.full((64,), 300), torch.Generator().manual_seed(0)
    )
    assert len(set(drawn['span'].tolist())) > 32 and len(set(drawn['start'].tolist())) > 32


def test_short_samples_are_kept_whole():
    drawn = TemporalCropResize(ratio=(0.1, 0.2), min_frames=64).draw(
        torch.zeros(3, 1, 1, 1, 3), torch.tensor([64, 12, 1]), None
    )
    assert drawn['span'].tolist() == [64, 12, 1] and drawn['start'].tolist() == [0, 0, 0]


@given(length=st.integers(1, 400), ratio=st.floats(0.05, 1))
def test_the_centre_is_symmetric_and_holds_its_share(length, ratio):
    drawn = TemporalCenterResize(ratio=ratio).draw(torch.zeros(1, 1, 1, 1, 3), torch.tensor([length]), None)
    start, span = int(drawn['start']), int(drawn['span'])
    assert start == length - start - span  # as many frames are left before as behind
    assert span >= 1 and ratio * length - 1e-3 <= span < ratio * length + 2


def test_the_centre_of_a_hundred_frames_leaves_two_at_each_end():
    keypoint, lengths = batch(100)
    view, _ = TemporalCenterResize(num_frames=96, ratio=0.95).augment(keypoint, lengths)
    assert torch.equal(view, keypoint[:, :, 2:98])


@pytest.mark.parametrize(
    'arguments',
    [
        dict(ratio=(0, 1)),
        dict(ratio=(0.6, 0.5)),
        dict(ratio=(0.5, 1.1)),
        dict(num_frames=0),
        dict(min_frames=0),
    ],
)
def test_a_crop_out_of_range_is_refused(arguments):
    with pytest.raises(ValueError, match='need 0 < ratio.*got ratio='):
        TemporalCropResize(**arguments)


@pytest.mark.parametrize('arguments', [dict(ratio=0), dict(ratio=1.1), dict(num_frames=0)])
def test_a_centre_out_of_range_is_refused(arguments):
    with pytest.raises(ValueError, match='need 0 < ratio <= 1'):
        TemporalCenterResize(**arguments)
