"""Evaluates pre-training checkpoints by the papers' protocols, or compares finished reports.

Several checkpoints are several seeds or folds of one config: each gets a report of its own, and one report
gives their means and how far they are apart. Without --config, each is evaluated by the config that it
carries, and so on the fold that it was trained for.
"""

import argparse
import json
from pathlib import Path
from typing import Dict, List

from mmengine.config import Config, DictAction
from rich.console import Console
from rich.markdown import Markdown

import i2md_mmaction  # noqa: F401, before mmaction.models
from i2md_mmaction.apis.inferencer import own_config
from i2md_mmaction.datasets.subsets import BALANCES
from i2md_mmaction.io import write_file
from i2md_mmaction.models.checkpoints import read_checkpoint
from i2md_mmaction.protocols import (
    Evaluation,
    compare_reports,
    report_evaluation,
    summarize_reports,
    write_report,
)

DOWNSTREAM = Path(__file__).resolve().parents[1] / 'configs' / 'downstream'
#: What stands for an encoder that was never trained.
RANDOM = 'random'


def positive(text: str) -> int:
    """A whole number of at least 1, or an error of the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'expected a whole number of at least 1, got {text!r}')
    return int(text)


def above_zero(text: str) -> float:
    """A number above zero, or an error of the command line."""
    number = float(text)
    if not 0 < number < float('inf'):
        raise argparse.ArgumentTypeError(f'expected a number above 0, got {text!r}')
    return number


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'checkpoint', nargs='*', help="pre-training checkpoints, or 'random' for the floor of a config"
    )
    parser.add_argument('--config', type=Path, help='pre-training config; that in the checkpoint by default')
    parser.add_argument(
        '--protocols',
        nargs='+',
        default=['knn', 'linear'],
        help='knn, linear_cached, semi (all fractions), or a config of configs/downstream: linear, '
        'linear_aimclr, finetune, transfer, semi_1, ...; default: knn linear',
    )
    parser.add_argument('--streams', nargs='+', default=[], help='streams; all of the config by default')
    parser.add_argument(
        '--weights',
        nargs='+',
        type=float,
        default=[],
        help="weight of each stream in ensembles, in the streams' order",
    )
    parser.add_argument('--k', nargs='+', type=positive, default=[1], help='neighbours of k-NN; default: 1')
    parser.add_argument(
        '--temperature', type=above_zero, help='k-NN also votes by exp(cosine / temperature), such as 0.07'
    )
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
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides, as in the train tool')
    parser.add_argument(
        '--compare', nargs='+', type=Path, metavar='REPORT', help='report.json files: only compare them'
    )
    args = parser.parse_args(argv)
    if not args.compare and not args.checkpoint:
        parser.error('give CHECKPOINT, or --compare REPORT ...')
    if RANDOM in args.checkpoint and not args.config:
        parser.error(f'{RANDOM} carries no config; give --config')
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


def folders(args: argparse.Namespace) -> Dict[str, Path]:
    """The folder of the results of each checkpoint.

    Raises:
        ValueError: If two checkpoints are one.
    """
    paths = [Path(checkpoint) for checkpoint in args.checkpoint]
    if len(set(paths)) < len(paths):
        raise ValueError('a checkpoint is named twice; its mean with itself says nothing')
    prefix = args.config.stem if args.config else paths[0].parent.name
    if len(paths) == 1:
        return {args.checkpoint[0]: args.out or Path(f'work_dirs/evaluate/{prefix}_{paths[0].stem}')}
    out = args.out or Path(f'work_dirs/evaluate/{prefix}_{len(paths)}_checkpoints')
    names = [f'{path.parent.name}_{path.stem}' for path in paths]
    if len(set(names)) < len(names):  # numbered, so that no two share a folder
        names = [f'{number}_{name}' for number, name in enumerate(names)]
    return {checkpoint: out / name for checkpoint, name in zip(args.checkpoint, names)}


def build(args: argparse.Namespace, checkpoint: str, out: Path) -> Evaluation:
    """The evaluation of one checkpoint."""
    config = args.config
    if config is None:
        config = out / 'config.py'
        stored: Config = own_config(checkpoint, read_checkpoint(checkpoint))
        write_file(config, stored.pretty_text)
    return Evaluation(
        config,
        None if checkpoint == RANDOM else checkpoint,
        out,
        DOWNSTREAM,
        streams=args.streams,
        k=args.k,
        runs=args.runs,
        balance=args.balance,
        epochs=args.epochs,
        seed=args.seed,
        temperature=args.temperature,
        weights=args.weights,
        options=args.cfg_options,
    )


def evaluate(evaluation: Evaluation, args: argparse.Namespace, console: Console) -> Dict:
    """Runs what is not finished, and writes the report."""
    units, results = evaluation.units(args.protocols), []
    for number, unit in enumerate(units, start=1):
        known = evaluation.finished(unit) is not None
        console.rule(f'{number} of {len(units)}: {unit.name}' + (', finished before' if known else ''))
        results.append(evaluation.run(unit))
        console.print(results[-1].get('error') or f'done in {results[-1]["seconds"]} s', markup=False)
    report, made = report_evaluation(evaluation, results, args.work_dir)
    show(made, console)
    return report


def show(made: List[Path], console: Console) -> None:
    """Prints a report, and what was written."""
    console.print(Markdown(next(path for path in made if path.suffix == '.md').read_text(encoding='utf-8')))
    for path in made:
        console.print(f'made {path}')


def main(argv=None) -> int:
    args = parse_args(argv)
    console = Console()
    if args.compare:
        compare(args, console)
        return 0
    try:
        places = folders(args)
        evaluations = [build(args, checkpoint, out) for checkpoint, out in places.items()]
        for evaluation in evaluations:  # All of them, before hours are spent on the first.
            evaluation.units(args.protocols)
        reports = {ours.out.name: evaluate(ours, args, console) for ours in evaluations}
        if len(reports) > 1:
            summary = summarize_reports(reports)
            show(write_report(summary, evaluations[0].out.parent), console)
    except (OSError, ValueError) as error:
        Console(stderr=True).print(f'error: {error}', markup=False, soft_wrap=True)
        raise SystemExit(2) from error
    return 1 if any(report['failed'] for report in reports.values()) else 0


if __name__ == '__main__':
    raise SystemExit(main())
