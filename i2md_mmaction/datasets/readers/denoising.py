"""Which of the tracked bodies are no persons, by the rules of CTR-GCN's data preparation."""

from typing import Dict, Hashable, List, Sequence

import numpy as np

# The thresholds are CTR-GCN's, from ``get_raw_denoised_data.py`` of its released preparation of NTU RGB+D.
# A body seen in at most so many frames is dropped.
SHORT_FRAMES = 11
# A frame is invalid in which a body is wider than so many times its height.
VALID_WIDTH = 0.8
# A body is dropped of whose frames this share or more is invalid.
INVALID_SHARE = 0.69754
# Motion of a person beside the main person, least and most, in square metres.
LEAST_MOTION, MOST_MOTION = 0.089925, 2.0


def find_noise(bodies: Sequence[Hashable], joints: np.ndarray) -> Dict[Hashable, str]:
    """Finds the bodies to drop: tracks of furniture, of reflections and of jitter.

    Three rules are applied one after another, and the last body is never
    dropped:

    1. ``'length'``: the body is seen in at most 11 frames.
    2. ``'spread'``: in 69.754 % of its frames or more the body is wider than
       0.8 times its height. Bodies are looked at in order of appearance, as
       long as more than one is left.
    3. ``'motion'``: the variances of x, y and z over all joints and frames add
       up to less than 0.089925 or more than 2 square metres. They are taken
       over all frames or over those that are not too wide, whichever gives
       less. The body of most motion stays, however much it is.

    The rules and thresholds are those of ``get_raw_denoised_data.py`` in
    CTR-GCN's released data preparation. That fails where all bodies are short,
    whereas here the longest of them stays.

    Args:
        bodies: The sensor's number of the body of each observation, one
            observation for each body in each frame.
        joints: Joints of each observation, of shape (observations, V, 3),
            finite, in metres; x is to the side and y is up.

    Returns:
        The numbers of the bodies to drop, each with the rule that drops it.

    Example:
        >>> person = np.random.default_rng(0).normal(size=(20, 25, 3)) * [0.2, 0.5, 0.2]
        >>> reflection = person[:5] + 1
        >>> find_noise(['a'] * 20 + ['b'] * 5, np.concatenate([person, reflection]))
        {'b': 'length'}
    """
    tracks = _tracks(bodies, joints)
    longest = max(tracks, key=lambda body: len(tracks[body]), default=None)
    noise = {
        body: 'length' for body, track in tracks.items() if len(track) <= SHORT_FRAMES and body != longest
    }
    motion = {}
    for body in [body for body in tracks if body not in noise]:
        if len(tracks) - len(noise) == 1:
            return noise
        track = tracks[body]
        width, height = np.ptp(track[:, :, :2], axis=1).T  # (T,) each
        valid = width <= VALID_WIDTH * height
        if np.count_nonzero(~valid) / len(valid) >= INVALID_SHARE:
            noise[body] = 'spread'
        else:
            motion[body] = min(_motion(track), _motion(track[valid]))
    main = max(motion, key=motion.get, default=None)
    for body, amount in motion.items():
        if body != main and not LEAST_MOTION <= amount <= MOST_MOTION:
            noise[body] = 'motion'
    return noise


def _tracks(bodies: Sequence[Hashable], joints: np.ndarray) -> Dict[Hashable, np.ndarray]:
    """Joints of each body in the frames in which it is seen, (T, V, 3), float64, in order of appearance."""
    rows: Dict[Hashable, List[int]] = {}
    for row, body in enumerate(bodies):
        rows.setdefault(body, []).append(row)
    return {body: joints[own].astype(np.float64) for body, own in rows.items()}


def _motion(track: np.ndarray) -> float:
    """Sum of the variances of x, y and z over all joints and frames, in square metres."""
    return float(track.reshape(-1, 3).var(axis=0).sum())
