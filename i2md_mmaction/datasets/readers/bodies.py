"""Which of the tracked bodies become the persons of a sample."""

from typing import Dict, Hashable, List, Sequence, Tuple

import numpy as np


def assign_slots(frames: Sequence[int], bodies: Sequence[Hashable]) -> List[int]:
    """Gives each observed body a slot that it keeps for the whole sequence.

    A body keeps its slot while it comes and goes. A body that first appears
    after another has gone for good continues in that one's slot: the sensor
    numbers a person anew whenever it loses and finds them. The released code
    of the papers fills slots by the order within a frame instead, so that a
    body changes its slot whenever one listed before it is lost.

    Args:
        frames: Frame of each observation, not decreasing.
        bodies: The sensor's number of the body of each observation.

    Returns:
        Slot of each observation, counted from 0 in order of appearance.

    Example:
        >>> assign_slots([0, 0, 1, 2, 2, 3], ['a', 'b', 'b', 'a', 'b', 'c'])
        [0, 1, 1, 0, 1, 0]
    """
    spans: Dict[Hashable, Tuple[int, int]] = {}
    for frame, body in zip(frames, bodies):
        spans[body] = (spans.get(body, (frame,))[0], frame)
    slot_of: Dict[Hashable, int] = {}
    last_frames: List[int] = []
    for body, (first, last) in spans.items():
        free = (slot for slot, end in enumerate(last_frames) if end < first)
        slot = slot_of[body] = next(free, len(last_frames))
        last_frames[slot : slot + 1] = [last]
    return [slot_of[body] for body in bodies]


def body_motion(keypoint: np.ndarray) -> np.ndarray:
    """Sum of the standard deviations of x, y and z of each body, in metres.

    Taken over the joints and the frames in which the body is present, as in
    ``get_nonzero_std`` of the released CMD and AimCLR data preparation.

    Args:
        keypoint: Joints of shape (M, T, V, C), zeros where a body is absent.

    Returns:
        Motion of shape (M,), float64; 0 for a body that is never present.
    """
    present = keypoint.any(axis=(2, 3))  # (M, T)
    return np.array(
        [
            body[seen].std(axis=(0, 1), dtype=np.float64).sum() if seen.any() else 0.0
            for body, seen in zip(keypoint, present)
        ]
    )


def choose_bodies(keypoint: np.ndarray, keep: int = 2) -> np.ndarray:
    """Keeps the bodies of most motion, the main person first.

    Args:
        keypoint: Joints of shape (M, T, V, C), zeros where a body is absent.
        keep: How many bodies at most; 2 in all papers here.

    Returns:
        Joints of shape (M', T, V, C), 0 <= M' <= keep, without bodies that
        are never present. Bodies of equal motion stay in their order.
    """
    present = np.flatnonzero(keypoint.any(axis=(1, 2, 3)))
    if len(present) > 1:
        present = present[np.argsort(-body_motion(keypoint[present]), kind='stable')]
    return keypoint[present[:keep]]
