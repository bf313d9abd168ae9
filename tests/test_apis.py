"""Windows over recordings."""

from hypothesis import given
from hypothesis import strategies as st

from i2md_mmaction.apis.clips import spans

FRAMES = st.integers(1, 60)


@given(length=FRAMES, window=FRAMES, stride=FRAMES)
def test_windows_are_whole_evenly_spaced_and_reach_both_ends(length, window, stride):
    found = list(spans(length, window, stride))
    assert found[0][0] == 0 and found[-1][1] == length
    assert all(stop - start == min(window, length) for start, stop in found)
    starts = [start for start, _ in found]
    assert starts == sorted(set(starts))
    steps = [second - first for first, second in zip(starts, starts[1:])]
    assert all(step == stride for step in steps[:-1]) and all(step <= stride for step in steps[-1:])
