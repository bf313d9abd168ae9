"""Draws what a run measured of itself on one page: losses, accuracies, 1-NN, its embeddings."""

import argparse
from pathlib import Path

from mmengine.config import Config

from i2md_mmaction.evaluation.floors import knn_floors, write_floors
from i2md_mmaction.evaluation.run_page import plot_run


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir', type=Path, help='folder of the run')
    parser.add_argument('--out', type=Path, help='picture to write; run.png in the work dir by default')
    parser.add_argument(
        '--floors', action='store_true', help='measure raw joints and a random encoder first, and keep both'
    )
    return parser.parse_args(argv)


def measure_floors(work_dir: Path) -> None:
    """Measures what 1-NN reaches without training, by the latest config of the run."""
    configs = sorted(work_dir.glob('*/vis_data/config.py'))
    if not configs:
        raise SystemExit(f'error: no run under {work_dir} has left its config; give the work_dir of a run')
    try:
        print(f'made {write_floors(work_dir, knn_floors(Config.fromfile(configs[-1])))}')
    except (OSError, ValueError) as error:
        raise SystemExit(f'error: {error}') from error


def main(argv=None) -> None:
    args = parse_args(argv)
    if args.floors:
        measure_floors(args.work_dir)
    try:
        print(f'made {plot_run(args.work_dir, args.out or args.work_dir / "run.png")}')
    except FileNotFoundError as error:
        raise SystemExit(f'error: {error}') from error


if __name__ == '__main__':
    main()
