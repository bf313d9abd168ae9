"""Which tracked bodies are no persons: each rule of CTR-GCN on both sides of its threshold."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2md_mmaction.datasets.readers.denoising import find_noise


def still(frames, width=0.0, height=1.0, depth=0.0):
    """A body of two joints at the ends of a box, (frames, 2, 3): its motion is a quarter of w² + h² + d²."""
    box = np.array([width, height, depth])
    return np.broadcast_to(np.stack([0 * box, box]), (frames, 2, 3))


def of_motion(motion, frames=20):
    """A body without any width whose variances add up to ``motion`` square metres."""
    return still(frames, height=2 * sqrt(motion))


def noise(**tracks):
    """What is found among tracks that appear one after another."""
    bodies = [name for name, track in tracks.items() for _ in track]
    return find_noise(bodies, np.concatenate(list(tracks.values())))


PERSON = still(30, width=0.5, height=1.7)


@pytest.mark.parametrize('frames, expected', [(1, 'length'), (11, 'length'), (12, None)])
def test_a_body_of_at_most_11_frames_is_dropped(frames, expected):
    assert noise(person=PERSON, other=still(frames, height=1.7)).get('other') == expected
    assert noise(other=still(frames, height=1.7), person=PERSON).get('other') == expected


def test_frames_count_where_the_body_is_seen_not_between_its_first_and_its_last():
    # Seen in every third frame of 30, beside a person who is there all the time.
    bodies = [body for frame in range(30) for body in ('person', 'other')[: 1 + (frame % 3 == 0)]]
    joints = np.concatenate([still(1, height=1.7)] * len(bodies))
    assert bodies.count('other') == 10
    assert find_noise(bodies, joints) == {'other': 'length'}


@pytest.mark.parametrize('width, expected', [(0.8, None), (0.8001, 'spread')])
def test_a_body_wider_than_0_8_of_its_height_in_all_frames_is_dropped(width, expected):
    assert noise(person=PERSON, other=still(20, width=width)).get('other') == expected


def test_depth_says_nothing_of_the_spread():
    assert noise(person=PERSON, other=still(20, height=1.0, depth=1.5)) == {}


@pytest.mark.parametrize('wide, expected', [(34876, None), (34877, 'spread')])
def test_a_body_is_dropped_from_a_share_of_0_69754_of_wide_frames(wide, expected):
    # 0.69754 is 34,877 of 50,000.
    other = np.concatenate([still(wide, width=0.9), still(50000 - wide)])
    assert noise(person=PERSON, other=other).get('other') == expected


def test_of_two_wide_bodies_the_one_seen_first_is_dropped_and_the_last_stays():
    wide = still(20, width=2.0)
    assert noise(first=wide, second=wide) == {'first': 'spread'}


@pytest.mark.parametrize(
    'motion, expected',
    [(0.0899, 'motion'), (0.08993, None), (1.9999, None), (2.0001, 'motion'), (0.0, 'motion')],
)
def test_a_body_beside_the_main_person_moves_between_0_089925_and_2(motion, expected):
    found = noise(other=of_motion(motion), main=of_motion(2.5))
    assert found == ({'other': expected} if expected else {})


def test_the_body_of_most_motion_stays_however_much_or_little_it_is():
    assert noise(less=of_motion(5.0), most=of_motion(9.0)) == {'less': 'motion'}
    assert noise(most=of_motion(0.08), less=of_motion(0.07)) == {'less': 'motion'}
    assert noise(first=of_motion(0.08), second=of_motion(0.08)) == {'second': 'motion'}


def test_motion_is_the_sum_of_the_variances_of_the_three_axes():
    # 1 + 1 and 0.25 + 2.25, of which the standard deviations add up to the same.
    exactly = still(20, height=2.0, depth=2.0)
    assert noise(main=of_motion(3.0), other=exactly) == {}
    assert noise(main=of_motion(3.0), other=still(20, height=1.0, depth=3.0)) == {'other': 'motion'}


def test_motion_counts_from_place_to_place():
    # Still in itself: 0.25 of the height, and 4 of walking 4 m to the side halfway.
    walker = np.concatenate([still(10), still(10) + [4, 0, 0]])
    assert noise(main=of_motion(6.0), other=walker) == {'other': 'motion'}
    assert noise(main=of_motion(6.0), other=still(20)) == {}


def test_motion_is_that_of_the_frames_that_are_not_too_wide_where_it_is_less():
    # A quarter of the frames is too wide and far off: 4.1 over all frames, 0.25 over the valid ones.
    jumping = np.concatenate([still(15), still(5, width=1.0) + [4, 0, 0]])
    assert np.var(jumping.reshape(-1, 3), axis=0).sum() > 4
    # By all frames 'jumping' would be the main person, and 'person' of 2.5 be dropped.
    assert noise(jumping=jumping, person=of_motion(2.5)) == {}
    # And where the valid frames are further apart than all frames are, all of them count.
    between = np.concatenate([still(5), still(10, width=0.9) + [1.3, 0, 0], still(5) + [2.8, 0, 0]])
    valid = np.concatenate([between[:5], between[15:]])
    assert np.var(valid.reshape(-1, 3), axis=0).sum() > 2 > np.var(between.reshape(-1, 3), axis=0).sum()
    assert noise(main=of_motion(2.5), between=between) == {}


@pytest.mark.parametrize('only', [still(1), still(20, width=5.0), of_motion(0.0), of_motion(50.0)])
def test_a_body_that_is_alone_stays_whatever_it_is(only):
    assert noise(only=only) == {}


def test_of_bodies_that_are_all_short_the_longest_stays():
    assert noise(a=still(5), b=still(9, width=3.0), c=still(9)) == {'a': 'length', 'c': 'length'}


def test_a_later_rule_spares_the_body_that_an_earlier_one_left_alone():
    assert noise(short=still(11), wide=still(20, width=2.0)) == {'short': 'length'}
    assert noise(wide=still(20, width=2.0), quiet=of_motion(0.01)) == {'wide': 'spread'}


def test_the_three_rules_one_after_another():
    found = noise(
        quiet=of_motion(0.01),
        short=of_motion(9.0, frames=11),
        main=of_motion(3.0),
        wide=still(20, width=8.0, height=2.0),
        second=of_motion(0.5),
    )
    assert found == {'short': 'length', 'wide': 'spread', 'quiet': 'motion'}


def test_no_observation_is_no_noise():
    assert find_noise([], np.zeros((0, 25, 3), np.float32)) == {}


TRACK = st.builds(
    still, st.integers(1, 20), *(st.floats(0, 4, width=32) for _ in ('width', 'height', 'depth'))
)


@given(st.lists(TRACK, min_size=1, max_size=6))
def test_one_body_always_stays_and_only_bodies_of_the_file_are_named(tracks):
    tracks = {str(number): track for number, track in enumerate(tracks)}
    assert set(noise(**tracks)) < set(tracks)
