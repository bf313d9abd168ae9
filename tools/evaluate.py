"""Evaluates a pre-training checkpoint by the papers' protocols, or compares finished reports."""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

import i2md_mmaction  # noqa: F401, before mmaction.models
from i2md_mmaction.datasets.subsets import BALANCES
from i2md_mmaction.io import write_file
from i2md_mmaction.protocols import Evaluation, compare_reports, report_evaluation

DOWNSTREAM = Path(__file__).resolve().parents[1] / 'configs' / 'downstream'


def positive(text: str) -> int:
    """A whole number of at least 1, or an error of the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'expected a whole number of at least 1, got {text!r}')
    return int(text)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', nargs='?', help="pre-training checkpoint, or 'random' for the floor")
    parser.add_argument('--config', type=Path, help='its pre-training config')
    parser.add_argument(
        '--protocols',
        nargs='+',
        default=['knn', 'linear'],
        help='knn, linear_cached, semi (all fractions), or a config of configs/downstream: linear, '
        'linear_aimclr, finetune, transfer, semi_1, ...; default: knn linear',
    )
    parser.add_argument('--streams', nargs='+', default=[], help='streams; all of the config by default')
    parser.add_argument('--k', nargs='+', type=positive, default=[1], help='neighbours of k-NN; default: 1')
    parser.add_argument('--runs', type=positive, default=5, help='seeds of semi-supervised runs; default: 5')
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='seed of a random encoder, and of the first classifier; default: 0',
    )
    parser.add_argument('--balance', choices=BALANCES, default='uniform', help='draw of labelled samples')
    parser.add_argument('--epochs', type=positive, help="shorten all training; the papers' by default")
    parser.add_argument('--out', type=Path, help='folder of the results; work_dirs/evaluate/NAME by default')
    parser.add_argument('--work-dir', type=Path, help='logs of pre-training; folder of the checkpoint')
    parser.add_argument(
        '--compare', nargs='+', type=Path, metavar='REPORT', help='report.json files: only compare them'
    )
    args = parser.parse_args(argv)
    if not args.compare and not (args.checkpoint and args.config):
        parser.error('give CHECKPOINT and --config, or --compare REPORT ...')
    return args


def compare(args: argparse.Namespace, console: Console) -> None:
    reports = {}
    for path in args.compare:
        path = path / 'report.json' if path.is_dir() else path
        name = path.parent.name
        reports[name if name not in reports else str(path.parent)] = json.loads(path.read_text())
    table = compare_reports(reports)
    console.print(Markdown(table))
    if args.out:
        console.print(f'made {write_file(args.out / "comparison.md", table)}')


def main(argv=None) -> int:
    args = parse_args(argv)
    console = Console()
    if args.compare:
        compare(args, console)
        return 0
    random = args.checkpoint == 'random'
    out = args.out or Path(f'work_dirs/evaluate/{args.config.stem}_{Path(args.checkpoint).stem}')
    try:
        evaluation = Evaluation(
            args.config,
            None if random else args.checkpoint,
            out,
            DOWNSTREAM,
            streams=args.streams,
            k=args.k,
            runs=args.runs,
            balance=args.balance,
            epochs=args.epochs,
            seed=args.seed,
        )
        units, results = evaluation.units(args.protocols), []
    except (OSError, ValueError) as error:
        Console(stderr=True).print(f'error: {error}', markup=False, soft_wrap=True)
        raise SystemExit(2) from error
    for number, unit in enumerate(units, start=1):
        known = evaluation.finished(unit) is not None
        console.rule(f'{number} of {len(units)}: {unit.name}' + (', finished before' if known else ''))
        results.append(evaluation.run(unit))
        console.print(results[-1].get('error') or f'done in {results[-1]["seconds"]} s', markup=False)
    report, made = report_evaluation(evaluation, results, args.work_dir)
    console.print(Markdown(made[1].read_text(encoding='utf-8')))
    for path in made:
        console.print(f'made {path}')
    return 1 if report['failed'] else 0


if __name__ == '__main__':
    raise SystemExit(main())
