"""Prints the 1-NN accuracies of several runs as one Markdown table."""

import argparse
import sys
from pathlib import Path

from i2md_mmaction.evaluation.history import read_knn_curves
from i2md_mmaction.protocols.report import markdown_table

STREAMS = ('joint', 'motion', 'bone', 'all streams')


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dirs', type=Path, nargs='+', help='work dirs of runs')
    return parser.parse_args(argv)


def table(work_dirs) -> str:
    """The table: the last evaluation of each stream, and the best of all streams together.

    A folder that holds no evaluated pre-training run is named and left out.

    Raises:
        SystemExit: With status 2, if no folder is left.
    """
    rows = []
    for work_dir in work_dirs:
        curves = read_knn_curves(work_dir)
        if not curves:
            print(f'skipped: no log under {work_dir} holds a k-NN validation', file=sys.stderr)
            continue
        last = [f'{curves[name][1][-1]:.1f}' if name in curves else '' for name in STREAMS]
        epochs, accuracies = curves['all streams']
        rows.append((work_dir.name, str(epochs[-1]), *last, f'{max(accuracies):.1f}'))
    if not rows:
        raise SystemExit(2)
    return markdown_table(('run', 'epochs', *STREAMS, 'best, all streams'), rows)


def main(argv=None) -> None:
    print(table(parse_args(argv).work_dirs))


if __name__ == '__main__':
    main()
