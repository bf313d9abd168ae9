"""Runs a study, methods by data sets by seeds, and makes its tables and pictures.

python tools/study.py run projects/small_benchmark/grid.py
python tools/study.py table projects/small_benchmark/grid.py
python tools/study.py plot projects/small_benchmark/grid.py --protocol knn
"""

import argparse
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import List

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import i2md_mmaction  # noqa: F401, before mmaction.models
from i2md_mmaction.io import write_file
from i2md_mmaction.study.figures import study_figures
from i2md_mmaction.study.grid import Grid, Job
from i2md_mmaction.study.jobs import run_job
from i2md_mmaction.study.page import fill_page
from i2md_mmaction.study.plot import plot_study
from i2md_mmaction.study.results import Result, load_result, load_results
from i2md_mmaction.study.schedule import Schedule
from i2md_mmaction.study.table import study_tables


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('grid', type=Path, help='file of the grid')
    common.add_argument(
        '--results', type=Path, help='folder of the results; results/ and the name of the grid, beside it'
    )
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument(
        '--work-dir',
        type=Path,
        help="folder of the runs; work_dirs/ and the names of the grid's folder and file",
    )
    chosen.add_argument('--only', nargs='+', default=[], metavar='WORD', help='runs whose names hold a word')
    run = commands.add_parser('run', parents=[common, chosen], help='runs what has no result yet')
    run.add_argument('--jobs', type=int, default=os.cpu_count(), help='runs at a time; as many as cores')
    one = commands.add_parser('one', parents=[common, chosen], help='runs one run in this process')
    one.add_argument('name', help='its name, such as nw_ucla/stgcn/aimclr_seed0')
    commands.add_parser(
        'list', parents=[common, chosen], help='names all runs, and whether they have a result'
    )
    commands.add_parser(
        'table', parents=[common], help="writes tables.md and figures.json, and fills the grid's pages"
    )
    plot = commands.add_parser('plot', parents=[common], help='draws the results')
    plot.add_argument('--protocol', default='knn', help='which protocol; default: knn')
    plot.add_argument('--out', type=Path, help='the picture; PROTOCOL.png with the results')
    args = parser.parse_args(argv)
    name = args.grid.stem
    args.results = args.results or args.grid.with_name('results') / name
    if hasattr(args, 'work_dir'):
        args.work_dir = args.work_dir or Path('work_dirs', args.grid.resolve().parent.name, name)
    return args


def chosen_jobs(grid: Grid, args: argparse.Namespace) -> List[Job]:
    """The jobs that the command line asks for."""
    jobs = [job for job in grid.jobs() if not args.only or any(word in job.name for word in args.only)]
    if not jobs:
        raise ValueError(f'no run of {args.grid} has {" or ".join(args.only)} in its name')
    return jobs


def is_finished(grid: Grid, job: Job, results: Path) -> bool:
    """Whether a job has left all its results."""
    return all((results / f'{seen.name}.json').is_file() for seen in grid.evaluations(job))


def result_of(grid: Grid, job: Job, results: Path) -> Result:
    """The result of a finished job, on the first data set that it was evaluated on."""
    return load_result(results / f'{grid.evaluations(job)[0].name}.json')


def run(grid: Grid, args: argparse.Namespace, console: Console) -> int:
    """Runs the jobs that have no result yet; 1 if one of them failed."""
    jobs = chosen_jobs(grid, args)
    costs = {
        job: result_of(grid, job, args.results).cost for job in jobs if is_finished(grid, job, args.results)
    }
    # What has no training of its own, such as raw joints, tells nothing of how long others take.
    known = {job: cost['seconds'] for job, cost in costs.items() if 'seconds' in cost}

    def command(job: Job) -> List[str]:
        folders = ['--results', str(args.results), '--work-dir', str(args.work_dir)]
        return [sys.executable, __file__, 'one', str(args.grid), job.name, *folders]

    schedule = Schedule(
        [job for job in jobs if job not in costs], command, args.work_dir / 'logs', args.jobs, known
    )
    columns = (
        TextColumn('runs'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('{task.fields[left]}'),
    )
    failed = []
    with Progress(*columns, console=console) as progress:
        task = progress.add_task('', total=len(jobs), completed=len(costs), left='')

        def after(job: Job, status: int) -> None:
            left = f'about {timedelta(seconds=round(schedule.time_left()))} left'
            progress.update(task, advance=0 if status else 1, left=left)
            outcome = f'failed, see {schedule.log(job)}'
            if not status:
                result = result_of(grid, job, args.results)
                outcome = ', '.join(f'{name} {result.accuracy(name):.1f}' for name in result.right)
            # Told in each line, too, for a log in which the bar is not drawn.
            line = f'{job.name}: {outcome}; {left}'
            console.print(line, markup=False, highlight=False, soft_wrap=True)

        failed += schedule.run(after)
    return 1 if failed else 0


def one(grid: Grid, args: argparse.Namespace, console: Console) -> int:
    """Runs one job here."""
    jobs = {job.name: job for job in grid.jobs()}
    if args.name not in jobs:
        raise ValueError(f'{args.grid} has no run {args.name!r}; `study.py list` names them')
    for result in run_job(grid, jobs[args.name], args.work_dir, args.results):
        console.print(f'made {args.results / result.name}.json', soft_wrap=True)
    return 0


def names(grid: Grid, args: argparse.Namespace, console: Console) -> int:
    """Names the jobs."""
    for job in chosen_jobs(grid, args):
        state = 'finished' if is_finished(grid, job, args.results) else 'to do'
        console.print(f'{state:9}{job.name}', markup=False, highlight=False)
    return 0


def table(grid: Grid, args: argparse.Namespace, console: Console) -> int:
    """Writes the figures as JSON and as Markdown, and into the pages that the grid names."""
    figures = study_figures(load_results(args.results), grid.layout)
    tables = study_tables(figures, grid.layout)
    texts = {
        args.results / 'figures.json': json.dumps(figures, indent=1),
        args.results / 'tables.md': '\n\n'.join(tables.values()),
        # A page that cannot be filled is an error before any is written.
        **{
            page: fill_page(page.read_text(encoding='utf-8'), tables, args.grid.stem).rstrip()
            for page in grid.pages
        },
    }
    for path, text in texts.items():
        console.print(f'made {write_file(path, text + chr(10))}', soft_wrap=True)
    return 0


def plot(grid: Grid, args: argparse.Namespace, console: Console) -> int:
    """Draws a protocol."""
    figures = study_figures(load_results(args.results), grid.layout)
    out = args.out or args.results / f'{args.protocol}.png'
    console.print(f'made {plot_study(figures, grid.layout, out, args.protocol)}', soft_wrap=True)
    return 0


def main(argv=None) -> int:
    args = parse_args(argv)
    # Ends like an interrupt, so that no run goes on without the study that started it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    commands = dict(run=run, one=one, list=names, table=table, plot=plot)
    try:
        return commands[args.command](Grid(args.grid), args, Console())
    except (OSError, ValueError) as error:
        Console(stderr=True).print(f'error: {error}', markup=False, soft_wrap=True)
        return 2


if __name__ == '__main__':
    raise SystemExit(main())
