"""Writes example CSV files: the package's demo skeletons, with 15 of their 25 joints.

PYTHONPATH=. python projects/custom_skeleton/make_examples.py data/custom/raw
"""

import argparse
from pathlib import Path

import numpy as np

from i2md_mmaction.datasets.demo import make_demo_dataset
from projects.custom_skeleton.convert import column_names
from projects.custom_skeleton.nite15 import NITE15

# Joints of 'ntu25' in the order of 'nite15': shoulder_center is the neck, an ankle the foot.
JOINTS = (3, 20, 1, 4, 5, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18)


def main(argv=None) -> None:
    """Writes CLASS/SUBJECT_NAME.csv."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('out', type=Path, help='folder to write')
    parser.add_argument('--num-classes', type=int, default=5)
    parser.add_argument('--samples-per-class', type=int, default=30)
    args = parser.parse_args(argv)
    data = make_demo_dataset(args.num_classes, args.samples_per_class, seed=0)
    for annotation in data['annotations']:
        name, keypoint = annotation['frame_dir'], annotation['keypoint'][:, :, JOINTS]
        person, frame = np.nonzero(keypoint.any(axis=(2, 3)))  # a lost frame has no row
        table = np.column_stack([frame, person, keypoint[person, frame].reshape(len(frame), -1)])
        path = args.out / data['class_names'][annotation['label']] / f'P{name[10:12]}_{name}.csv'
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(
            path,
            table,
            fmt=['%d', '%d', *['%.6g'] * (table.shape[1] - 2)],
            delimiter=',',
            comments='',
            header=','.join(column_names(NITE15)),
        )
    print(f'{len(data["annotations"])} files under {args.out}')


if __name__ == '__main__':
    main()
