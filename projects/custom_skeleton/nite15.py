"""A layout of one's own: the 15 joints of OpenNI's skeleton tracker, as an example."""

from i2md_mmaction.skeletons import SkeletonLayout, register_layout

NITE15 = register_layout(
    SkeletonLayout(
        name='nite15',
        # fmt: off
        joints=(
            'head',
            'neck',
            'torso',
            'left_shoulder',
            'left_elbow',
            'left_hand',
            'right_shoulder',
            'right_elbow',
            'right_hand',
            'left_hip',
            'left_knee',
            'left_foot',
            'right_hip',
            'right_knee',
            'right_foot',
        ),
        edges=(  # (child, parent)
            (0, 1),
            (1, 2),
            (3, 1),
            (4, 3),
            (5, 4),
            (6, 1),
            (7, 6),
            (8, 7),
            (9, 2),
            (10, 9),
            (11, 10),
            (12, 2),
            (13, 12),
            (14, 13),
        ),
        # fmt: on
        center=1,
        origin=(2,),
        # No joint between the hips: their mean stands for it.
        spine=((9, 12), (1,)),
        shoulders=((3,), (6,)),
        pairs=((3, 6), (4, 7), (5, 8), (9, 12), (10, 13), (11, 14)),
    )
)
