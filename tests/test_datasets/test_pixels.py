"""Joints of images: to a plane and to the size of a body, against what the words say, in float64."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2md_mmaction.datasets import PixelNormalize, SkeletonPreNormalize
from i2md_mmaction.datasets.pixels import fill_missing_joints
from i2md_mmaction.datasets.transforms import body_size

SHAPE = (1080, 1920)
seeds = st.integers(0, 10**6)
BODY = dict(layout='coco17', align_spine=False, align_shoulders=False, scale_body=True)


def filmed(seed=0, persons=1, frames=5):
    """Random joints (M, T, 17, 2) somewhere in the image, none of them missing."""
    generator = np.random.default_rng(seed)
    return generator.uniform(1, (1900, 1000), size=(persons, frames, 17, 2)).astype(np.float32)


def to_plane(pixels, **sample):
    return PixelNormalize()(dict(keypoint=pixels.copy(), img_shape=SHAPE, **sample))['keypoint']


@pytest.mark.parametrize('height, width', [(1080, 1920), (1920, 1080), (100, 100), (719, 333)])
def test_the_longer_side_is_two_units_and_up_is_up(height, width):
    pixels = filmed()
    found = PixelNormalize(img_shape=(height, width))(dict(keypoint=pixels.copy()))['keypoint']
    half = max(height, width) / 2
    for joint, expected in zip(found.reshape(-1, 2), pixels.astype(np.float64).reshape(-1, 2)):
        assert joint[0] == pytest.approx((expected[0] - width / 2) / half, rel=1e-6, abs=1e-6)
        assert joint[1] == pytest.approx((height / 2 - expected[1]) / half, rel=1e-6, abs=1e-6)


def test_the_size_of_the_image_is_that_of_the_sample_before_that_of_the_option():
    sample = dict(keypoint=filmed(), img_shape=(200, 400))
    by_sample = PixelNormalize(img_shape=SHAPE)(dict(sample))['keypoint']
    np.testing.assert_array_equal(by_sample, PixelNormalize()(dict(sample))['keypoint'])
    with pytest.raises(ValueError, match=r"'wave_1' does not say the size of its image.*img_shape=\(height"):
        PixelNormalize()(dict(keypoint=filmed(), frame_dir='wave_1'))


def test_joints_of_three_coordinates_are_refused():
    with pytest.raises(ValueError, match="'wave_1' has 3 coordinates, joints of an image have two"):
        PixelNormalize()(dict(keypoint=np.ones((1, 2, 17, 3)), img_shape=SHAPE, frame_dir='wave_1'))


def test_whoever_is_absent_stays_zero_and_a_joint_in_the_middle_of_the_image_does_not_become_so():
    pixels = filmed(persons=2)
    pixels[1, 1:4] = 0
    pixels[0, 2, 3] = (960, 540)
    found = to_plane(pixels)
    assert not found[1, 1:4].any() and found[1, [0, 4]].all()
    assert found[0, 2, 3].any() and abs(found[0, 2, 3]).max() < 1e-6


def test_half_precision_is_taken_as_published_pickles_have_it():
    pixels = filmed().astype(np.float16)
    found = to_plane(pixels)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, to_plane(pixels.astype(np.float32)))


@pytest.mark.parametrize('said_by', ['zeros', 'scores'])
def test_a_joint_that_is_missed_is_interpolated_between_the_frames_in_which_it_is_seen(said_by):
    pixels = filmed(frames=7)
    pixels[0, :, 9] = [[t * 100, 50 * t * t] for t in range(1, 8)]
    expected = to_plane(pixels)
    for axis in range(2):  # frames 2 to 4 lie on the line from frame 1 to frame 5
        expected[0, 1:6, 9, axis] = np.linspace(expected[0, 1, 9, axis], expected[0, 5, 9, axis], 5)
    expected[0, 6, 9] = expected[0, 5, 9]  # after the last sight it stays where it was
    scores = np.ones((1, 7, 17), np.float32)
    missed = np.isin(np.arange(7), (2, 3, 4, 6))
    if said_by == 'zeros':
        pixels[0, missed, 9] = 0
        found = to_plane(pixels)
    else:
        scores[0, missed, 9] = 0
        pixels[0, missed, 9] = 7777  # junk
        found = to_plane(pixels, keypoint_score=scores)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_score_that_a_joint_needs_is_an_option():
    pixels, scores = filmed(frames=3), np.full((1, 3, 17), 0.4, np.float32)
    scores[0, 1, 4] = 0.1
    kept = PixelNormalize(min_score=0.05)(dict(keypoint=pixels, keypoint_score=scores, img_shape=SHAPE))
    np.testing.assert_array_equal(kept['keypoint'], to_plane(pixels))
    sample = dict(keypoint=pixels, keypoint_score=scores, img_shape=SHAPE)
    missed = PixelNormalize(min_score=0.2)(sample)['keypoint']
    np.testing.assert_allclose(missed[0, 1, 4], to_plane(pixels)[0, [0, 2], 4].mean(axis=0), atol=1e-6)


@given(seed=seeds)
def test_filling_changes_no_joint_that_was_seen_and_none_of_an_absent_person(seed):
    generator = np.random.default_rng(seed)
    keypoint = generator.normal(size=(2, 9, 4, 2))
    seen = generator.uniform(size=(2, 9, 4)) < 0.6
    seen[1, generator.uniform(size=9) < 0.4] = False
    seen[:, :, 3] &= generator.uniform() < 0.5  # a joint that is never seen
    filled = fill_missing_joints(keypoint, seen)
    np.testing.assert_array_equal(filled[seen], keypoint[seen])
    present, ever = seen.any(axis=2)[..., None], seen.any(axis=1)[:, None]
    np.testing.assert_array_equal(filled.any(axis=-1), present & ever)
    assert abs(filled).max() <= abs(keypoint[seen]).max(initial=0)


@given(
    seed=seeds, zoom=st.floats(0.2, 5), shift=st.floats(-500, 500), center=st.sampled_from(['frame', 'first'])
)
def test_neither_the_distance_from_the_camera_nor_the_place_in_the_image_shows(seed, zoom, shift, center):
    pixels = filmed(seed, persons=2)
    normalize = SkeletonPreNormalize(center=center, **BODY)
    one, other = (
        normalize(dict(keypoint=to_plane(p)))['keypoint'] for p in (pixels, 3000 + zoom * pixels + shift)
    )
    np.testing.assert_allclose(one, other, atol=2e-3)


def test_the_size_of_a_body_is_the_median_over_its_frames():
    generator = np.random.default_rng(0)
    person = generator.normal(size=(5, 17, 2)) * np.array([1, 2, 30, 4, 5])[:, None, None]
    person[3] = 0  # absent
    person[4, 2] = 0  # a joint that is missing
    sizes = []
    for frame in person[[0, 1, 2, 4]]:
        joints = [joint for joint in frame if joint.any()]
        mean = [sum(values) / len(joints) for values in zip(*joints)]
        squares = [sum((value - m) ** 2 for value, m in zip(joint, mean)) for joint in joints]
        sizes.append(math.sqrt(sum(squares) / len(joints)))
    middle = sorted(sizes)[1:3]
    assert body_size(person) == pytest.approx(sum(middle) / 2)
    keypoint = np.stack([person, 0.5 * person]).astype(np.float32)
    scaled = SkeletonPreNormalize(center=None, **BODY)(dict(keypoint=keypoint.copy()))['keypoint']
    assert body_size(scaled[0]) == pytest.approx(1, rel=0.3)  # null frames were filled before
    np.testing.assert_allclose(scaled[0, 0] / scaled[1, 0], 2, rtol=1e-5)


def test_a_body_without_size_is_refused_by_name():
    with pytest.raises(ValueError, match="'wave_1': all joints of the main person are in one place"):
        SkeletonPreNormalize(**BODY)(dict(keypoint=np.ones((1, 3, 17, 2)), frame_dir='wave_1'))


def test_an_origin_that_is_half_or_never_seen():
    hips, keypoint = [11, 12], filmed()
    keypoint[:, :, 11] = 0
    options = dict(BODY, scale_body=False)
    half = SkeletonPreNormalize(center='frame', **options)(dict(keypoint=keypoint.copy()))['keypoint']
    np.testing.assert_allclose(half[0, :, 5], keypoint[0, :, 5] - keypoint[0, :, 12], atol=1e-3)
    assert not half[:, :, hips].any()
    keypoint[:, :, 12] = 0
    never = SkeletonPreNormalize(center='frame', **options)(dict(keypoint=keypoint.copy()))['keypoint']
    np.testing.assert_array_equal(never, keypoint)
