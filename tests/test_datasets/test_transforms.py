"""Pre-normalisation: geometry kept, axes as promised, gaps closed as by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmaction.datasets.transforms import PreNormalize3D
from mmengine.registry import init_default_scope

from i2md_mmaction.datasets import SkeletonDataset, SkeletonPreNormalize
from i2md_mmaction.datasets.transforms import fill_null_frames, rotation_between
from i2md_mmaction.skeletons import get_layout

LAYOUTS = ('ntu25', 'kinect20', 'coco17', 'openpose18')
seeds = st.integers(0, 10**6)


def body(seed=0, frames=6, persons=1, joints=25):
    """Random joints (M, T, V, 3) of about a metre, some metres off the origin."""
    generator = np.random.default_rng(seed)
    offset = generator.normal(size=(persons, 1, 1, 3)) * 3
    return (generator.normal(size=(persons, frames, joints, 3)) + offset).astype(np.float32)


def normalized(keypoint, **options):
    results = SkeletonPreNormalize(**options).transform(dict(keypoint=keypoint.copy()))
    assert results['total_frames'] == results['keypoint'].shape[1]
    return results['keypoint']


def spine(keypoint, layout):
    """Unit direction of the spine, bottom to top, of the main person's first frame."""
    bottom, top = (keypoint[0, 0, list(group)].mean(axis=0) for group in layout.spine)
    return (top - bottom) / np.linalg.norm(top - bottom)


def distances(keypoint):
    """All distances between joints of all persons of a frame, (T, M * V, M * V)."""
    joints = keypoint.astype(np.float64).transpose(1, 0, 2, 3).reshape(keypoint.shape[1], -1, 3)
    return np.linalg.norm(joints[:, :, None] - joints[:, None], axis=-1)


@given(seed=seeds, name=st.sampled_from(LAYOUTS), center=st.sampled_from(['frame', 'first', None]))
def test_distances_between_all_joints_of_a_frame_are_kept(seed, name, center):
    keypoint = body(seed, persons=2, joints=get_layout(name).num_joints)
    result = normalized(keypoint, layout=name, center=center)
    np.testing.assert_allclose(distances(result), distances(keypoint), atol=1e-4)


@given(seed=seeds, name=st.sampled_from(LAYOUTS))
def test_the_origin_is_zero_in_every_frame(seed, name):
    layout = get_layout(name)
    result = normalized(body(seed, joints=layout.num_joints), layout=name, center='frame')
    np.testing.assert_allclose(result[0][:, list(layout.origin)].mean(axis=1), 0, atol=1e-5)


@given(seed=seeds, name=st.sampled_from(LAYOUTS))
def test_one_fixed_origin_is_zero_in_the_first_frame_and_moves_on(seed, name):
    layout = get_layout(name)
    keypoint = body(seed, joints=layout.num_joints)
    result = normalized(keypoint, layout=name, center='first')
    origin = result[0][:, list(layout.origin)].mean(axis=1)
    moved = keypoint[0][:, list(layout.origin)].mean(axis=1).astype(np.float64)
    np.testing.assert_allclose(origin[0], 0, atol=1e-5)
    np.testing.assert_allclose(
        np.linalg.norm(origin, axis=1), np.linalg.norm(moved - moved[0], axis=1), atol=1e-4
    )


def test_the_second_person_moves_with_the_origin_of_the_first():
    keypoint = body(persons=2)
    result = normalized(keypoint, center='frame', align_spine=False, align_shoulders=False)
    np.testing.assert_allclose(result, keypoint - keypoint[:1, :, 1:2], atol=1e-6)


def test_each_person_moves_to_a_centre_joint_of_its_own():
    keypoint = body(persons=2)
    result = normalized(keypoint, center='person', align_spine=False, align_shoulders=False)
    np.testing.assert_allclose(result, keypoint - keypoint[:, :, 20:21], atol=1e-6)


@given(seed=seeds, name=st.sampled_from(LAYOUTS))
def test_the_spine_is_turned_to_z(seed, name):
    layout = get_layout(name)
    result = normalized(body(seed, joints=layout.num_joints), layout=name, align_shoulders=False)
    np.testing.assert_allclose(spine(result, layout), [0, 0, 1], atol=1e-4)


@given(seed=seeds, name=st.sampled_from(LAYOUTS), align_spine=st.booleans())
def test_the_right_shoulder_is_turned_to_plus_x_of_the_left_one(seed, name, align_spine):
    layout = get_layout(name)
    result = normalized(body(seed, joints=layout.num_joints), layout=name, align_spine=align_spine)
    right, left = (layout.joints.index(f'{side}_shoulder') for side in ('right', 'left'))
    across = result[0, 0, right] - result[0, 0, left]
    np.testing.assert_allclose(across / np.linalg.norm(across), [1, 0, 0], atol=1e-4)


# Spine and shoulders together are not: the turn of the shoulders tilts the spine again.
@pytest.mark.parametrize(
    'aligned', [dict(align_shoulders=False), dict(align_spine=False)], ids=['spine only', 'shoulders only']
)
@pytest.mark.parametrize('center', ['frame', 'first'])
@given(seed=seeds)
def test_normalising_twice_by_one_line_is_normalising_once(aligned, center, seed):
    once = normalized(body(seed), center=center, **aligned)
    np.testing.assert_allclose(normalized(once, center=center, **aligned), once, atol=2e-4)


@given(seed=seeds)
def test_a_body_that_is_turned_and_moved_before_gives_the_same_where_shoulders_are_level(seed):
    keypoint = body(seed)
    # Shoulders across the spine: then the two turns fix all three axes.
    upright = keypoint[0, 0, 1] - keypoint[0, 0, 0]
    across = np.cross(upright, keypoint[0, 0, 4] - keypoint[0, 0, 8])
    keypoint[0, 0, 4] = keypoint[0, 0, 8] + across / np.linalg.norm(across)
    turn = rotation_between([1, 2, 3], np.random.default_rng(seed).normal(size=3))
    turned = (keypoint @ turn.T + [0.5, -2, 1]).astype(np.float32)
    np.testing.assert_allclose(normalized(turned), normalized(keypoint), atol=1e-3)


@given(seed=seeds)
def test_one_fixed_centre_agrees_with_mmaction2_on_one_person_of_ntu(seed):
    keypoint = body(seed)
    theirs = PreNormalize3D().transform(dict(keypoint=keypoint.copy(), total_frames=6))['keypoint']
    np.testing.assert_allclose(normalized(keypoint, center='first'), theirs, atol=1e-4)


@given(seed=seeds)
def test_a_rotation_turns_source_to_target_and_is_a_proper_one(seed):
    source, target = np.random.default_rng(seed).normal(size=(2, 3))
    matrix = rotation_between(source, target)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    np.testing.assert_allclose(
        matrix @ source / np.linalg.norm(source), target / np.linalg.norm(target), atol=1e-9
    )
    # The smallest one: it leaves what is across both directions alone.
    np.testing.assert_allclose(matrix @ np.cross(source, target), np.cross(source, target), atol=1e-9)


@pytest.mark.parametrize('axis', range(3))
@pytest.mark.parametrize('tilt', [0, 1e-12, 1e-7, 1e-4])
def test_an_opposite_direction_is_turned_by_half_a_turn(axis, tilt):
    target = np.eye(3)[axis]
    source = -2 * target + tilt * np.roll(target, 1)
    matrix = rotation_between(source, target)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    np.testing.assert_allclose(matrix @ source, 2 * target, atol=1e-6)


def test_a_skeleton_upside_down_is_set_upright():
    keypoint = body()
    keypoint[0, 0, 0], keypoint[0, 0, 1] = [1, 1, 3], [1, 1, 1]
    result = normalized(keypoint, align_shoulders=False)
    np.testing.assert_allclose(spine(result, get_layout('ntu25')), [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(distances(result), distances(keypoint), atol=1e-4)


def test_a_line_without_direction_is_left_alone():
    assert np.array_equal(rotation_between([0, 0, 0], [0, 0, 1]), np.eye(3))
    np.testing.assert_allclose(rotation_between([0, 0, 5], [0, 0, 1]), np.eye(3), atol=1e-12)


def frames(*values):
    """A person (T, 1, 3) whose frames hold these numbers; 0 is a null frame."""
    return np.repeat(np.array(values, np.float32), 3).reshape(-1, 1, 3)


@pytest.mark.parametrize(
    'given, expected',
    [
        ((1, 2, 3, 4), (1, 2, 3, 4)),
        ((1, 2, 3, 0, 0), (1, 2, 3, 1, 2)),  # the end replays the start
        ((1, 2, 0, 0, 0, 0, 0), (1, 2, 1, 2, 1, 2, 1)),  # as often as it takes
        ((0, 0, 1, 2, 3), (1, 2, 3, 1, 2)),  # after a late start it moves up
        ((0, 1, 0, 2, 0), (1, 2, 1, 2, 1)),  # then also gaps in the middle close
        ((1, 0, 0, 2, 3), (1, 0, 0, 2, 3)),  # a gap in the middle stays
        ((1, 0, 2, 0, 0), (1, 0, 2, 1, 0)),  # and is replayed with the rest
        ((0, 0, 0, 0, 5), (5, 5, 5, 5, 5)),
        ((0, 0, 0), (0, 0, 0)),
        ((7,), (7,)),
    ],
)
def test_null_frames_are_closed_as_by_hand(given, expected):
    np.testing.assert_array_equal(fill_null_frames(frames(*given)[None]), frames(*expected)[None])


def test_each_person_is_filled_for_itself_and_an_absent_one_stays_zero():
    keypoint = np.stack([frames(1, 2, 0), frames(0, 4, 0), frames(0, 0, 0)])
    expected = np.stack([frames(1, 2, 1), frames(4, 4, 4), frames(0, 0, 0)])
    np.testing.assert_array_equal(fill_null_frames(keypoint), expected)


def test_absent_persons_and_joints_stay_at_zero():
    keypoint = body(persons=2)
    keypoint[1] = 0
    keypoint[0, 3, 11] = 0
    result = normalized(keypoint)
    assert not result[1].any() and not result[0, 3, 11].any()
    assert result[0].any(axis=-1).sum() == keypoint[0].any(axis=-1).sum() - 6  # the origin is zero too


def test_a_sequence_is_cut_at_its_longest():
    keypoint = body(frames=320)
    assert normalized(keypoint).shape == (1, 300, 25, 3)
    np.testing.assert_array_equal(normalized(keypoint, max_frames=5), normalized(keypoint)[:, :5])


@pytest.mark.parametrize('dtype', [np.float16, np.float64])
def test_any_float_is_taken_and_float32_given(dtype):
    result = normalized(body().astype(dtype))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, normalized(body()), atol=0.05)


def test_the_annotation_is_left_as_it_is():
    keypoint = body()
    keypoint[0, 4:] = 0
    before = keypoint.copy()
    SkeletonPreNormalize().transform(dict(keypoint=keypoint))
    np.testing.assert_array_equal(keypoint, before)


def test_flat_skeletons_are_centred_but_their_axes_not_aligned():
    flat = body(joints=17)[..., :2]
    result = normalized(flat, layout='coco17', align_spine=False, align_shoulders=False)
    np.testing.assert_allclose(result[0][:, [11, 12]].mean(axis=1), 0, atol=1e-5)
    with pytest.raises(ValueError, match="sample 'walk' has 2 coordinates.*switch align_spine"):
        SkeletonPreNormalize('coco17').transform(dict(keypoint=flat, frame_dir='walk'))


def test_an_unknown_centre_is_refused():
    with pytest.raises(ValueError, match="'frame', 'first'.* or None, got 'mean'"):
        SkeletonPreNormalize(center='mean')


@pytest.fixture
def coco_file(write_annotations):
    """Two samples of the layout 'coco17'."""
    return write_annotations(
        [
            dict(frame_dir=f'sample{seed}', label=0, total_frames=6, keypoint=body(seed, joints=17))
            for seed in range(2)
        ]
    )


def coco_dataset(path, **step):
    pipeline = [
        dict(type='SkeletonPreNormalize', center='first', **step),
        dict(type='PackActionInputs', meta_keys=('frame_dir',)),
    ]
    init_default_scope('mmaction')
    return SkeletonDataset(str(path), pipeline, layout='coco17')


def test_a_data_set_hands_its_layout_to_its_pipeline(coco_file):
    dataset = coco_dataset(coco_file)
    for seed in range(2):
        expected = normalized(body(seed, joints=17), layout='coco17', center='first')
        np.testing.assert_array_equal(dataset[seed]['inputs'].numpy(), expected)
        # The origin and the axes of the default layout are other joints.
        assert not np.allclose(expected, normalized(body(seed, joints=17), center='first'), atol=1e-2)


def test_a_step_that_contradicts_the_layout_of_its_data_set_is_refused(coco_file):
    with pytest.raises(ValueError, match="SkeletonPreNormalize is given layout='ntu25', but .*'coco17'"):
        coco_dataset(coco_file, layout='ntu25')
    assert coco_dataset(coco_file, layout='coco17').pipeline.transforms[0].layout.name == 'coco17'
