"""Which bodies are kept, and in which order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from i2md_mmaction.datasets.readers.bodies import assign_slots, body_motion, choose_bodies

# For each frame the set of bodies the sensor sees in it.
SEEN = st.lists(st.lists(st.sampled_from('abcdef'), unique=True, max_size=5), max_size=12)


@given(SEEN)
def test_a_body_keeps_its_slot_and_shares_it_with_nobody_present(seen):
    frames = [frame for frame, bodies in enumerate(seen) for _ in bodies]
    bodies = [body for frame in seen for body in frame]
    slots = assign_slots(frames, bodies)
    assert len({(body, slot) for body, slot in zip(bodies, slots)}) == len(set(bodies))
    assert len(set(zip(frames, slots))) == len(slots)


def test_a_person_found_again_under_a_new_number_continues_in_the_same_slot():
    assert assign_slots([0, 1, 2, 2], ['a', 'a', 'b', 'c']) == [0, 0, 0, 1]


def test_a_body_away_for_a_while_does_not_lose_its_slot():
    assert assign_slots([0, 1, 2], ['a', 'b', 'a']) == [0, 1, 0]


def slow_motion(body):
    """Standard deviations over the frames in which the body is there, in Python floats."""
    joints = [joint for frame in body.tolist() if any(map(any, frame)) for joint in frame]
    total = 0.0
    for axis in range(3):
        values = [joint[axis] for joint in joints]
        mean = sum(values) / len(values)
        total += (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    return total


def test_motion_is_the_sum_of_standard_deviations_over_frames_with_the_body():
    keypoint = np.random.default_rng(0).normal(size=(3, 6, 25, 3)).astype(np.float32)
    keypoint[1, 2:4] = 0
    expected = [slow_motion(body) for body in keypoint]
    np.testing.assert_allclose(body_motion(keypoint), expected, rtol=1e-12)


def test_the_two_bodies_of_most_motion_are_kept_the_main_person_first():
    keypoint = np.random.default_rng(0).normal(size=(4, 6, 25, 3)) * np.array([1, 3, 0, 2]).reshape(
        4, 1, 1, 1
    )
    assert np.array_equal(choose_bodies(keypoint), keypoint[[1, 3]])


def test_bodies_of_equal_motion_stay_in_their_order():
    first = np.random.default_rng(0).normal(size=(1, 6, 25, 3))
    keypoint = np.concatenate([first, -first])
    assert np.array_equal(choose_bodies(keypoint), keypoint)


def test_a_body_that_is_never_there_is_no_person():
    assert choose_bodies(np.zeros((2, 6, 25, 3))).shape == (0, 6, 25, 3)
