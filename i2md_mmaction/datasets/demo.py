"""Demo data: labelled actions of a kinematic body, in mmaction2's skeleton format.

An action is a table of :class:`Move`: curves of joint angles over the phase of the action.
Forward kinematics along the layout's bone tree turns them into joints, so bones keep their
length. The rest is nuisance, as in real recordings: body proportions, handedness, tempo,
amplitude, idle time, posture, camera, sensor noise, lost frames.

Body frame: x to the person's right, y forward, z up. Camera frame, as the Kinect's:
x to the right of a person who faces it, y up, z depth; metres.
"""

from dataclasses import dataclass
from typing import Dict, List, Tuple

import numpy as np

from ..skeletons import get_layout

LAYOUT = get_layout('ntu25')
NUM_ACTORS = 9  # every third, with their partners, is kept for xsub_val
CAMERA_YAWS = (0.0, -45.0, 45.0)  # degrees; the first camera is kept for xview_val, as in NTU
FRAME_RANGE = (40, 110)

# Bone from parent to joint at rest, metres: (outward, forward, up); outward is right for unpaired joints.
# fmt: off
REST_BONES = dict(
    shoulder_center=(0, 0, 0), spine_mid=(0, 0, -0.22), spine_base=(0, 0, -0.26),
    neck=(0, 0, 0.08), head=(0, 0.02, 0.15),
    shoulder=(0.17, 0, -0.03), elbow=(0, 0, -0.27), wrist=(0, 0, -0.24),
    hand=(0, 0, -0.07), thumb=(-0.02, 0.03, -0.03), hand_tip=(0.02, -0.03, -0.05),
    hip=(0.08, 0, -0.05), knee=(0, 0, -0.41), ankle=(0, 0, -0.40), foot=(0, 0.12, -0.06),
)
# Bones, by their last joint, that a part turns, and the share of the angle each takes. The tree's root is the
# chest, so a trunk that bends at the hips turns the chest and turns the legs back.
PARTS = dict(
    arm=dict(elbow=1.0), forearm=dict(wrist=1.0),
    thigh=dict(knee=1.0), shin=dict(ankle=1.0), foot=dict(foot=1.0),
    trunk=dict(shoulder_center=-1.0, spine_mid=0.15, spine_base=0.15, hip=0.7),
    waist=dict(shoulder_center=-1.0, spine_mid=0.4, spine_base=0.6), head=dict(neck=-0.5, head=-0.5),
)
# fmt: on
AXES = dict(flex=0, abduct=1, twist=2)  # forward, outward, inward about the bone; rotation about x, y, z
WAVES = dict(
    sine=lambda phase: np.sin(2 * np.pi * phase),
    pulse=lambda phase: (0.5 - 0.5 * np.cos(2 * np.pi * phase)) ** 2,
)


@dataclass(frozen=True)
class Move:
    """The angle of one body part over the phase p of an action: ``hold + swing * wave(p + shift)``, degrees.

    ``side``: 'both', 'lead' (the actor's better hand) or 'other'; parts in the middle of the body ignore it.
    """

    part: str
    axis: str
    hold: float = 0.0
    swing: float = 0.0
    side: str = 'both'
    wave: str = 'pulse'
    shift: float = 0.0


@dataclass(frozen=True)
class Action:
    """A class: cycle length in frames at normal tempo, moves, and those of a person in front, if any."""

    period: float
    moves: Tuple[Move, ...]
    partner: Tuple[Move, ...] = ()


@dataclass(frozen=True)
class Actor:
    """A person: rest bones (V, 3) in metres, better hand, and the habit of moving widely and fast."""

    bones: np.ndarray
    lead: str
    amplitude: float
    tempo: float


# fmt: off
_SHAKE = (Move('arm', 'flex', 38, side='lead'), Move('forearm', 'flex', 45, 16, 'lead', 'sine'))
# Two-person actions come early, so that a set of three classes has one.
ACTIONS: Dict[str, Action] = dict(
    wave=Action(16, (
        Move('arm', 'abduct', 95, 6, 'lead', 'sine'), Move('forearm', 'abduct', 75, 35, 'lead', 'sine'),
    )),
    kick=Action(26, (
        Move('thigh', 'flex', 0, 80, 'lead'), Move('shin', 'flex', 0, -70, 'lead', shift=0.15),
        Move('trunk', 'flex', 0, -12), Move('arm', 'abduct', 10, 20),
    )),
    handshake=Action(13, _SHAKE, partner=_SHAKE),
    squat=Action(30, (
        Move('thigh', 'flex', 0, 80), Move('shin', 'flex', 0, -145), Move('foot', 'flex', 0, 65),
        Move('trunk', 'flex', 0, 30), Move('arm', 'flex', 0, 75),
    )),
    push=Action(26, (
        Move('arm', 'flex', 30, 52), Move('forearm', 'flex', 85, -80), Move('trunk', 'flex', 0, 14),
    ), partner=(
        Move('trunk', 'flex', 0, -18, shift=-0.12), Move('thigh', 'flex', 0, -22, 'lead', shift=-0.15),
        Move('arm', 'flex', 0, 45, shift=-0.15), Move('arm', 'abduct', 0, 20, shift=-0.15),
    )),
    clap=Action(12, (
        Move('arm', 'flex', 35), Move('forearm', 'flex', 62), Move('arm', 'twist', 12, 30, wave='sine'),
    )),
    punch=Action(18, (
        Move('arm', 'flex', 15, 72, 'lead'), Move('forearm', 'flex', 110, -102, 'lead'),
        Move('arm', 'flex', 20, side='other'), Move('forearm', 'flex', 105, side='other'),
    )),
    drink=Action(30, (
        Move('arm', 'flex', 10, 35, 'lead'), Move('arm', 'twist', 28, side='lead'),
        Move('forearm', 'flex', 50, 78, 'lead'), Move('head', 'flex', 0, -18),
    )),
    bow=Action(30, (
        Move('trunk', 'flex', 0, 65), Move('head', 'flex', 0, 15), Move('arm', 'flex', 0, 50),
    )),
    throw=Action(24, (
        Move('arm', 'flex', 108, 55, 'lead', 'sine'), Move('forearm', 'flex', 58, 50, 'lead', 'sine', 0.08),
        Move('trunk', 'flex', 4, -10, wave='sine'),
    )),
)
# fmt: on


def make_demo_dataset(num_classes: int = 10, samples_per_class: int = 40, seed: int = 0) -> dict:
    """Makes a labelled set of skeleton sequences, the same for the same seed.

    Args:
        num_classes: How many of :data:`ACTIONS`, from the first.
        samples_per_class: Sequences of each class, at least 3 so that no split is empty.
        seed: Seed of the one generator behind everything.

    Returns:
        mmaction2's skeleton annotations: ``split`` (by actor: ``xsub_train``, ``xsub_val``; by camera:
        ``xview_train``, ``xview_val``; lists of ``frame_dir``) and ``annotations`` (dicts of ``frame_dir``,
        ``label``, ``total_frames`` and ``keypoint``, float32 (M, T, 25, 3) in metres, M = 1 or 2), and
        ``class_names``. A lost frame or body is all zeros.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> data = make_demo_dataset(num_classes=3, samples_per_class=3)
        >>> len(data['annotations']), data['class_names'], data['split']['xview_val'][0]
        (9, ['wave', 'kick', 'handshake'], 'S001C001P001R001A001')
    """
    if not 1 <= num_classes <= len(ACTIONS):
        raise ValueError(f'num_classes must be 1 to {len(ACTIONS)} (the known actions), got {num_classes}')
    if samples_per_class < 3:
        raise ValueError(
            f'samples_per_class must be at least 3, or a split is empty; got {samples_per_class}'
        )
    if seed < 0:
        raise ValueError(f'seed must not be negative, got {seed}')
    rng = np.random.default_rng(seed)
    actors = [_draw_actor(rng) for _ in range(NUM_ACTORS)]
    class_names = list(ACTIONS)[:num_classes]
    split = dict(xsub_train=[], xsub_val=[], xview_train=[], xview_val=[])
    annotations = []
    for label, class_name in enumerate(class_names):
        for sample in range(samples_per_class):
            repetition, actor = divmod(sample, NUM_ACTORS)
            view = (sample + repetition) % len(CAMERA_YAWS)
            frame_dir = f'S001C{view + 1:03d}P{actor + 1:03d}R{repetition + 1:03d}A{label + 1:03d}'
            cast = actors[actor], actors[(actor + 3) % NUM_ACTORS]
            keypoint = _record(perform(ACTIONS[class_name], cast, rng), CAMERA_YAWS[view], rng)
            split['xsub_val' if actor % 3 == 2 else 'xsub_train'].append(frame_dir)
            split['xview_val' if view == 0 else 'xview_train'].append(frame_dir)
            fields = dict(label=label, total_frames=keypoint.shape[1], keypoint=keypoint)
            annotations.append(dict(frame_dir=frame_dir, **fields))
    return dict(split=split, annotations=annotations, class_names=class_names)


def forward_kinematics(angles: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Joints of a body from the angles of its bones, the chest at the origin.

    Args:
        angles: (T, V, 3) in degrees, about x, y and z, of the bone that ends in a joint against its parent.
        bones: (V, 3) from parent to joint at rest, metres.

    Returns:
        (T, V, 3) in metres.
    """
    local = _rotation(angles)  # (T, V, 3, 3)
    turned, joints = local.copy(), np.zeros_like(angles)
    for child, parent in LAYOUT.ordered_edges():
        turned[:, child] = turned[:, parent] @ local[:, child]
        joints[:, child] = joints[:, parent] + turned[:, child] @ bones[child]
    return joints


def perform(action: Action, cast: Tuple[Actor, Actor], rng: np.random.Generator) -> np.ndarray:
    """Bodies (M, T, V, 3), metres, of one person, or two face to face, who act between idle times."""
    period = action.period / (cast[0].tempo * rng.uniform(0.8, 1.25))
    num_frames = int(rng.integers(FRAME_RANGE[0], FRAME_RANGE[1] + 1))
    active = min(num_frames, period * rng.uniform(1.4, 2.6))
    time = np.arange(num_frames) - rng.uniform(0, num_frames - active)
    ramp = np.clip(np.minimum(time, active - time) / (0.15 * active), 0, 1)
    effort = ramp * ramp * (3 - 2 * ramp)  # (T,), 0 at rest
    phase = np.clip(time, 0, active) / period + rng.uniform()  # (T,), cycles
    bodies = [_move_body(action.moves, cast[0], phase, effort, rng)]
    if action.partner:
        facing = _rotation(np.array([0, 0, 180 + rng.normal(0, 8)]))
        partner = _move_body(action.partner, cast[1], phase, effort, rng) @ facing.T
        bodies.append(partner + [rng.normal(0, 0.05), rng.uniform(0.95, 1.15), 0])
    return np.stack(bodies)


def _draw_actor(rng: np.random.Generator) -> Actor:
    """A person of random proportions, the same on the left and on the right."""
    lengths = rng.normal(1, 0.06) * rng.normal(1, 0.06, len(REST_BONES))
    rest = {name: scale * np.array(bone) for scale, (name, bone) in zip(lengths, REST_BONES.items())}
    bones = np.zeros((LAYOUT.num_joints, 3))
    for index, joint in enumerate(LAYOUT.joints):
        bones[index] = rest[joint.removeprefix('left_').removeprefix('right_')]
        bones[index, 0] *= -1 if joint.startswith('left_') else 1
    lead = 'left' if rng.uniform() < 0.2 else 'right'
    return Actor(bones, lead, amplitude=rng.uniform(0.8, 1.15), tempo=rng.uniform(0.8, 1.25))


def _move_body(moves, actor, phase, effort, rng) -> np.ndarray:
    """Joints (T, V, 3) of one person: idle posture plus the action, feet on the floor, pelvis in place."""
    drift = np.arange(len(phase)) / rng.uniform(40, 90)
    angles = _joint_angles(_draw_idle_moves(rng), actor.lead, drift, np.ones_like(effort))
    strength = effort * actor.amplitude * rng.uniform(0.8, 1.15)
    angles += _joint_angles(moves, actor.lead, phase + rng.normal(0, 0.03), strength)
    joints = forward_kinematics(angles, actor.bones)
    joints = joints @ _rotation(rng.normal(0, (3, 2, 8))).T  # the whole person leans and turns
    joints -= joints[:, [LAYOUT.joints.index('spine_base')]]
    joints[..., 2] -= joints[..., 2].min(axis=1, keepdims=True)
    joints[..., :2] += (rng.normal(0, 0.1, 2) * np.sin(2 * np.pi * drift)[:, None])[:, None]  # a step aside
    return joints


def _draw_idle_moves(rng: np.random.Generator) -> List[Move]:
    """How somebody stands who does nothing: a posture of one's own and slow sway, each side for itself."""
    table = (  # part, axis, mean and spread of the hold, largest sway; degrees
        ('arm', 'flex', 2, 3, 9),
        ('arm', 'abduct', 9, 2, 6),
        ('arm', 'twist', 10, 3, 8),
        ('forearm', 'flex', 25, 4, 14),
        ('thigh', 'abduct', 4, 1, 1),
        ('trunk', 'flex', 4, 2, 5),
        ('waist', 'twist', 0, 2, 9),
        ('head', 'flex', 8, 3, 8),
    )
    return [
        Move(part, axis, rng.normal(mean, spread), rng.uniform(0, sway), side, 'sine', rng.uniform())
        for part, axis, mean, spread, sway in table
        for side in (('both',) if part in ('trunk', 'waist', 'head') else ('lead', 'other'))
    ]


def _joint_angles(moves, lead, phase, strength) -> np.ndarray:
    """Sums moves to angles (T, V, 3) in degrees; ``phase`` and ``strength`` are (T,)."""
    other = 'left' if lead == 'right' else 'right'
    sides = dict(lead=(lead,), other=(other,), both=(lead, other))
    angles = np.zeros((len(phase), LAYOUT.num_joints, 3))
    for move in moves:
        curve = strength * (move.hold + move.swing * WAVES[move.wave](phase + move.shift))
        for joint, share in PARTS[move.part].items():
            paired = f'left_{joint}' in LAYOUT.joints
            for name in [f'{side}_{joint}' for side in sides[move.side]] if paired else [joint]:
                outward = 1 if name.startswith('left_') else -1  # sense of a turn about y
                sign = dict(flex=1, abduct=outward, twist=-outward)[move.axis]
                angles[:, LAYOUT.joints.index(name), AXES[move.axis]] += sign * share * curve
    return angles


def _rotation(angles: np.ndarray) -> np.ndarray:
    """Rotations Rx Ry Rz (..., 3, 3) from angles (..., 3) in degrees."""
    (cx, cy, cz), (sx, sy, sz) = (np.moveaxis(f(np.radians(angles)), -1, 0) for f in (np.cos, np.sin))
    row_x = (cy * cz, -cy * sz, sy)
    row_y = (cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy)
    row_z = (sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy)
    return np.stack([np.stack(row, axis=-1) for row in (row_x, row_y, row_z)], axis=-2)


def _record(bodies: np.ndarray, camera_yaw: float, rng: np.random.Generator) -> np.ndarray:
    """What a slowly moving depth camera makes of bodies (M, T, V, 3): own axes, noise, lost frames."""
    num_persons, num_frames = bodies.shape[:2]
    pan = np.sin(2 * np.pi * (np.arange(num_frames) / rng.uniform(40, 90) + rng.uniform()))[:, None]  # (T, 1)
    view = [0, 0, camera_yaw] + rng.normal(0, (6, 3, 10)) + rng.normal(0, (4, 4, 28)) * pan  # (T, 3), degrees
    ground = bodies @ _rotation(view).swapaxes(-1, -2)
    seen = np.stack([ground[..., 0], ground[..., 2], -ground[..., 1]], axis=-1)  # y up, z depth
    seen += rng.uniform((-0.8, -1.2, 2.5), (0.8, -0.8, 4.0))
    seen += rng.normal(0, rng.uniform(0.005, 0.025), seen.shape)
    if rng.uniform() < 0.3:
        gap = int(rng.integers(1, 6))
        start = int(rng.choice([0, num_frames - gap, rng.integers(1, num_frames - gap)]))
        seen[:, start : start + gap] = 0
    if num_persons == 2 and rng.uniform() < 0.5:
        start = int(rng.integers(num_frames - 8))
        seen[1, start : start + int(rng.integers(2, 9))] = 0
    return seen.astype(np.float32)
