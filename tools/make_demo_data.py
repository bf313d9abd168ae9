"""Writes the demo data: labelled actions of a kinematic body, as a pickle for mmaction2's ``PoseDataset``.

Example:
    python tools/make_demo_data.py --out data/demo/ntu25_demo.pkl --seed 0
    python tools/make_demo_data.py --layout coco17
"""

import argparse
import pickle
import sys
from collections import Counter
from pathlib import Path
from typing import Optional, Sequence

from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.datasets.demo_images import film_dataset
from i2md_mmaction.io import atomic_write

PICKLE_PROTOCOL = 4  # fixed, so that the same seed gives the same bytes under every Python


def write_pickle(data: dict, path: Path) -> None:
    """Writes the whole file or none."""
    with atomic_write(path) as file:
        pickle.dump(data, file, protocol=PICKLE_PROTOCOL)


def summarise(data: dict) -> str:
    """What the data hold, in a few lines for a person."""
    annotations, splits = data['annotations'], data['split']
    frames = [annotation['total_frames'] for annotation in annotations]
    persons = Counter(annotation['keypoint'].shape[0] for annotation in annotations)
    return '\n'.join(
        [
            f'sequences: {len(annotations)}',
            f'classes:   {len(data["class_names"])} ({", ".join(data["class_names"])})',
            f'frames:    {min(frames)} to {max(frames)}, {sum(frames)} in all',
            'persons:   ' + ', '.join(f'{count} sequences of {m}' for m, count in sorted(persons.items())),
            'splits:    ' + ', '.join(f'{name} {len(members)}' for name, members in splits.items()),
        ]
    )


def parse_args(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--layout',
        choices=['ntu25', 'coco17'],
        default='ntu25',
        help="joints: the Kinect's in metres, or COCO's in the pixels of a video",
    )
    parser.add_argument('--out', type=Path, help='pickle to write (default: data/demo/LAYOUT_demo.pkl)')
    parser.add_argument('--seed', type=int, default=0, help='same seed, same bytes')
    parser.add_argument('--num-classes', type=int, default=10, help='how many of the known actions')
    parser.add_argument(
        '--samples-per-class', type=int, default=40, help='sequences of each class, 3 or more'
    )
    args = parser.parse_args(argv)
    args.out = args.out or Path(f'data/demo/{args.layout}_demo.pkl')
    return args


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Makes the data, writes them and reports."""
    args = parse_args(argv)
    try:
        data = make_demo_dataset(args.num_classes, args.samples_per_class, args.seed)
    except ValueError as error:
        print(f'error: {error}', file=sys.stderr)
        raise SystemExit(2) from error
    if args.layout == 'coco17':
        data = film_dataset(data, args.seed)
    write_pickle(data, args.out)
    print(f'{args.out}\n{summarise(data)}')


if __name__ == '__main__':
    main()
