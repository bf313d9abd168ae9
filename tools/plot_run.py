"""Draws what a pre-training run measured of itself: 1-NN accuracy, and its embeddings without labels."""

import argparse
from pathlib import Path

from i2md_mmaction.evaluation.history import read_knn_curves, read_quality_curves
from i2md_mmaction.evaluation.plots import plot_knn_curve, plot_quality_curves


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir', type=Path, help='folder of the run')
    parser.add_argument('--out', type=Path, help='folder of the pictures; the work dir by default')
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    out = args.out or args.work_dir
    out.mkdir(parents=True, exist_ok=True)
    qualities = read_quality_curves(args.work_dir)
    if qualities:
        print(f'made {plot_quality_curves(qualities, out / "quality_curve.png")}')
    try:
        print(f'made {plot_knn_curve(read_knn_curves(args.work_dir), out / "knn_curve.png")}')
    except FileNotFoundError as error:
        if not qualities:
            raise SystemExit(f'error: {error}') from error


if __name__ == '__main__':
    main()
