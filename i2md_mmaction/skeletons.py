"""Skeleton layouts as data.

One table per layout. Graph adjacency, bones, spatial flip, axis alignment and
the demo data all read it, so a new skeleton is one entry here (or one call of
:func:`register_layout`) and nothing else.
"""

from dataclasses import dataclass
from typing import Optional, Tuple

Edge = Tuple[int, int]
JointGroup = Tuple[int, ...]

#: The layout of NTU RGB+D, and so of the papers.
DEFAULT_LAYOUT = 'ntu25'


@dataclass(frozen=True)
class SkeletonLayout:
    """Joints of a skeleton and how they hang together.

    Groups of joints (``origin``, ``spine``, ``shoulders``) stand for the mean
    of their joints, so that a layout without a spine joint can name two hips.

    Args:
        name: Name by which configs refer to the layout.
        joints: Joint names in the order of the data.
        edges: (child, parent) pairs of the bone tree.
        center: Joint nearest the body's centre; root of the partition of the
            graph.
        origin: Joints whose mean pre-normalisation moves to the origin.
        spine: (bottom, top) joint groups, turned to the z axis by
            pre-normalisation. None where the layout has no such line.
        shoulders: (left, right) joint groups, turned to the x axis.
        pairs: (left, right) joints swapped by a spatial flip.

    Raises:
        ValueError: If an index is out of range, or the edges are no tree over
            all joints rooted in one joint.

    Example:
        >>> layout = get_layout('ntu25')
        >>> layout.num_joints, layout.parents[3], layout.joints[layout.center]
        (25, 2, 'shoulder_center')
    """

    name: str
    joints: Tuple[str, ...]
    edges: Tuple[Edge, ...]
    center: int
    origin: JointGroup
    spine: Optional[Tuple[JointGroup, JointGroup]]
    shoulders: Optional[Tuple[JointGroup, JointGroup]]
    pairs: Tuple[Edge, ...]

    def __post_init__(self) -> None:
        groups = (self.origin, *(self.spine or ()), *(self.shoulders or ()), *self.pairs, *self.edges)
        named = {joint for group in groups for joint in group} | {self.center}
        if not all(0 <= joint < self.num_joints for joint in named):
            raise ValueError(
                f'layout {self.name!r} has {self.num_joints} joints but names joint '
                f'{max(named)}; joints are numbered from 0'
            )
        children = [child for child, _ in self.edges]
        if len(set(children)) != self.num_joints - 1 or len(children) != self.num_joints - 1:
            raise ValueError(
                f'layout {self.name!r}: every joint but one root needs exactly one parent, '
                f'got {len(children)} edges for {self.num_joints} joints'
            )
        self.ordered_edges()

    @property
    def num_joints(self) -> int:
        """Number of joints V."""
        return len(self.joints)

    @property
    def root(self) -> int:
        """The joint without a parent."""
        return (set(range(self.num_joints)) - {child for child, _ in self.edges}).pop()

    @property
    def parents(self) -> Tuple[int, ...]:
        """Parent of each joint; the root is its own parent (a bone of length zero)."""
        parent_of = dict(self.edges)
        return tuple(parent_of.get(joint, joint) for joint in range(self.num_joints))

    @property
    def mirror(self) -> Tuple[int, ...]:
        """For each joint the one that a left/right flip puts in its place."""
        swap = {a: b for pair in self.pairs for a, b in (pair, pair[::-1])}
        return tuple(swap.get(joint, joint) for joint in range(self.num_joints))

    def ordered_edges(self) -> Tuple[Edge, ...]:
        """The edges from the root outwards, each parent before its children."""
        placed, ordered, waiting = {self.root}, [], list(self.edges)
        while waiting:
            ready = [edge for edge in waiting if edge[1] in placed]
            if not ready:
                raise ValueError(f'layout {self.name!r}: edges {waiting} are not connected to the root')
            ordered += ready
            placed |= {child for child, _ in ready}
            waiting = [edge for edge in waiting if edge not in ready]
        return tuple(ordered)

    def graph_layout(self) -> dict:
        """The layout as mmaction2's ``Graph(layout=...)`` takes it."""
        return dict(num_node=self.num_joints, inward=list(self.edges), center=self.center)


_LAYOUTS = {}


def register_layout(layout: SkeletonLayout) -> SkeletonLayout:
    """Makes a layout known by its name, for data of one's own.

    Raises:
        ValueError: If another layout of that name is known already.
    """
    if _LAYOUTS.setdefault(layout.name, layout) != layout:
        raise ValueError(f'another layout is already registered as {layout.name!r}; choose a new name')
    return layout


def get_layout(name: str) -> SkeletonLayout:
    """Returns the layout of that name.

    Raises:
        ValueError: If no such layout is registered.
    """
    if name not in _LAYOUTS:
        raise ValueError(
            f'unknown skeleton layout {name!r}; known are {sorted(_LAYOUTS)}. '
            'Register your own with i2md_mmaction.skeletons.register_layout'
        )
    return _LAYOUTS[name]


def find_layout(num_joints: int) -> SkeletonLayout:
    """Returns the one registered layout of so many joints, for data that do not name theirs.

    Raises:
        ValueError: If there is none, or more than one.

    Example:
        >>> find_layout(20).name
        'kinect20'
    """
    found = [layout for layout in _LAYOUTS.values() if layout.num_joints == num_joints]
    if len(found) != 1:
        names = ', '.join(f'{layout.name} ({layout.num_joints})' for layout in found or _LAYOUTS.values())
        raise ValueError(f'{num_joints} joints are not those of one known layout: {names}')
    return found[0]


# The tables below are laid out by hand.
# fmt: off

# Kinect v2: NTU RGB+D 60 and 120, PKU-MMD.
register_layout(SkeletonLayout(
    name='ntu25',
    joints=(
        'spine_base', 'spine_mid', 'neck', 'head',
        'left_shoulder', 'left_elbow', 'left_wrist', 'left_hand',
        'right_shoulder', 'right_elbow', 'right_wrist', 'right_hand',
        'left_hip', 'left_knee', 'left_ankle', 'left_foot',
        'right_hip', 'right_knee', 'right_ankle', 'right_foot',
        'shoulder_center', 'left_hand_tip', 'left_thumb', 'right_hand_tip', 'right_thumb'),
    edges=(
        (0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (8, 20), (9, 8), (10, 9),
        (11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16), (18, 17), (19, 18),
        (21, 22), (22, 7), (23, 24), (24, 11)),
    center=20,
    origin=(1,),
    spine=((0,), (1,)),
    shoulders=((4,), (8,)),
    pairs=((4, 8), (5, 9), (6, 10), (7, 11), (12, 16), (13, 17), (14, 18), (15, 19), (21, 23), (22, 24)),
))

# Kinect v1: Northwestern-UCLA.
register_layout(SkeletonLayout(
    name='kinect20',
    joints=(
        'hip_center', 'spine', 'shoulder_center', 'head',
        'left_shoulder', 'left_elbow', 'left_wrist', 'left_hand',
        'right_shoulder', 'right_elbow', 'right_wrist', 'right_hand',
        'left_hip', 'left_knee', 'left_ankle', 'left_foot',
        'right_hip', 'right_knee', 'right_ankle', 'right_foot'),
    edges=(
        (0, 1), (1, 2), (3, 2), (4, 2), (5, 4), (6, 5), (7, 6), (8, 2), (9, 8), (10, 9), (11, 10),
        (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16), (18, 17), (19, 18)),
    center=2,
    origin=(1,),
    spine=((0,), (1,)),
    shoulders=((4,), (8,)),
    pairs=((4, 8), (5, 9), (6, 10), (7, 11), (12, 16), (13, 17), (14, 18), (15, 19)),
))

# OpenNI's tracker: SBU Kinect Interaction.
register_layout(SkeletonLayout(
    name='openni15',
    joints=(
        'head', 'neck', 'torso',
        'left_shoulder', 'left_elbow', 'left_hand', 'right_shoulder', 'right_elbow', 'right_hand',
        'left_hip', 'left_knee', 'left_foot', 'right_hip', 'right_knee', 'right_foot'),
    edges=(
        (0, 1), (1, 2), (3, 1), (4, 3), (5, 4), (6, 1), (7, 6), (8, 7), (9, 2), (10, 9), (11, 10),
        (12, 2), (13, 12), (14, 13)),
    center=2,
    origin=(2,),
    # No joint between the hips: their mean stands for it.
    spine=((9, 12), (1,)),
    shoulders=((3,), (6,)),
    pairs=((3, 6), (4, 7), (5, 8), (9, 12), (10, 13), (11, 14)),
))

register_layout(SkeletonLayout(
    name='coco17',
    joints=(
        'nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_shoulder', 'right_shoulder',
        'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip', 'right_hip',
        'left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
    edges=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 5), (12, 6), (9, 7), (7, 5), (10, 8), (8, 6),
        (5, 0), (6, 0), (1, 0), (3, 1), (2, 0), (4, 2)),
    center=0,
    origin=(11, 12),
    spine=((11, 12), (5, 6)),
    shoulders=((5,), (6,)),
    pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
))

register_layout(SkeletonLayout(
    name='openpose18',
    joints=(
        'nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist',
        'left_shoulder', 'left_elbow', 'left_wrist', 'right_hip', 'right_knee', 'right_ankle',
        'left_hip', 'left_knee', 'left_ankle', 'right_eye', 'left_eye', 'right_ear', 'left_ear'),
    edges=(
        (4, 3), (3, 2), (7, 6), (6, 5), (13, 12), (12, 11), (10, 9), (9, 8), (11, 5), (8, 2),
        (5, 1), (2, 1), (0, 1), (15, 0), (14, 0), (17, 15), (16, 14)),
    center=1,
    origin=(8, 11),
    spine=((8, 11), (1,)),
    shoulders=((5,), (2,)),
    pairs=((5, 2), (6, 3), (7, 4), (11, 8), (12, 9), (13, 10), (15, 14), (17, 16)),
))
