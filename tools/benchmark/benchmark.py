"""Measures speed and memory: a config's training step, how it grows, what it needs, and the BiGRU.

    python tools/benchmark/benchmark.py step configs/i2md_ntu60.py --compile
    python tools/benchmark/benchmark.py growth configs/i2md_ntu60.py --batch 32
    python tools/benchmark/benchmark.py memory configs/i2md_ntu60.py --sizes batch
    python tools/benchmark/benchmark.py bigru

Data are synthetic. ``step`` sets a plain reference in the manner of research
code beside the method; ``memory`` needs no device and no time.
"""

import argparse
import json
import logging
import sys
from copy import deepcopy
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from i2md_mmaction.io import write_file
from i2md_mmaction.models import BiGRU
from tools.benchmark.measure import Stopwatch, matmul_peak
from tools.benchmark.plain import StepwiseGRU
from tools.benchmark.step import (
    MethodStep,
    PlainStep,
    count_flops,
    full_bank_model,
    step_memory,
    synthetic_batch,
    time_steps,
    traced_memory,
)

#: What grows, how it is set in a config, and the values tried.
GROWTH = {
    'bank': ('model.bank.size', (4096, 16384, 65536)),
    'K': ('model.distillation.topk', (64, 1024, 8192)),
    'K_d': ('model.num_neighbors', (16, 64, 256)),
    'batch': ('share of the batch', (0.25, 0.5, 1.0)),
    'frames': ('frames', (16, 32, 64)),
    'streams': ('model.streams', (['joint'], ['joint', 'motion'], ['joint', 'motion', 'bone'])),
}


#: Rows of figures by the title of their table.
Tables = Dict[str, List[dict]]


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    common.add_argument('--repeats', type=int, default=5, help='counted repeats, after two uncounted')
    common.add_argument('--json', type=Path, help='file for the figures')
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument('config')
    config.add_argument('--batch', type=int, help="samples a step; the config's by default")
    config.add_argument(
        '--amp', action=argparse.BooleanOptionalAction, help="bfloat16; the config's by default"
    )
    config.add_argument('--cfg-options', nargs='+', action=DictAction)
    step = commands.add_parser('step', parents=[common, config], help='a step beside the plain reference')
    step.add_argument('--compile', action='store_true', help='compile the losses')
    step.add_argument('--no-plain', dest='plain', action='store_false', help='leave the reference out')
    for name, what in (('growth', 'time and memory'), ('memory', 'memory, from shapes alone')):
        growth = commands.add_parser(name, parents=[common, config], help=f'{what} as sizes grow')
        growth.add_argument('--sizes', nargs='+', choices=GROWTH, default=list(GROWTH))
    gru = commands.add_parser('bigru', parents=[common], help='BiGRU whole against frame by frame')
    gru.add_argument('--batch', type=int, default=64)
    gru.add_argument('--frames', type=int, default=64)
    gru.add_argument('--hidden', type=int, default=1024)
    return parser.parse_args(argv)


def load_config(args: argparse.Namespace) -> Config:
    """The config as the command line changes it."""
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options or {})
    if args.batch:
        config.train_dataloader.batch_size = args.batch
    if args.amp is None:
        args.amp = config.optim_wrapper.type == 'BFloat16OptimWrapper'
    init_default_scope(config.get('default_scope', 'mmaction'))
    return config


def benchmark_step(args: argparse.Namespace) -> Tables:
    """Times a config's training step, phase by phase, beside the plain reference."""
    config = load_config(args)
    batch, optimizer = config.train_dataloader.batch_size, config.optim_wrapper.optimizer
    model = full_bank_model(config)
    flops = count_flops(model)
    model = model.to(args.device)
    data, watch = synthetic_batch(model, batch), Stopwatch(args.device)
    for _ in range(args.repeats + 2):
        with watch.phase('views'):
            views = model.data_preprocessor(data, training=True)['inputs']
        watch.lap()

    def ours() -> MethodStep:
        return MethodStep(deepcopy(model), optimizer, args.amp)

    def plain() -> PlainStep:
        return PlainStep(model, optimizer)

    if args.compile:
        config.model.compiled = True
        timed = MethodStep(full_bank_model(config, args.device), optimizer, args.amp)
    else:
        timed = ours()
    columns = {'ours': time_steps(timed, views, args.repeats, split=not args.compile)}
    memory = {'ours': step_memory(ours, views)}
    if args.plain:
        columns['plain'] = time_steps(plain(), views, args.repeats)
        memory['plain'] = step_memory(plain, views)
    phases = []
    for phase in dict.fromkeys(phase for column in reversed(columns.values()) for phase in column):
        row = {form: 1000 * column[phase] if phase in column else None for form, column in columns.items()}
        ratio = row['plain'] / row['ours'] if all(row.get(form) for form in ('ours', 'plain')) else None
        phases.append({'phase (ms)': phase, **row, 'plain / ours': ratio})
    peak = matmul_peak(args.device, torch.bfloat16 if args.amp else torch.float32)
    step, view_seconds = columns['ours']['step'], watch.medians()['views']
    figures = {
        'samples/s': batch / (step + view_seconds),
        'views (ms)': 1000 * view_seconds,
        'share of the views (%)': 100 * view_seconds / (step + view_seconds),
        **{f'peak memory, {form} (GiB)': value / 2**30 for form, value in memory.items()},
        'model GFLOP a sample': flops / 1e9,
        'rate (GFLOP/s)': batch * flops / step / 1e9,
        'matrix-product peak (GFLOP/s)': peak / 1e9,
        'share of the peak (%)': 100 * batch * flops / step / peak,
    }
    return {
        'phases': phases,
        'figures': [{'figure': name, 'value': value} for name, value in figures.items()],
    }


def grown(args: argparse.Namespace) -> Iterator[Tuple[str, str, Config]]:
    """The config with one size after another at one value after another."""
    cases = [(size, value) for size in args.sizes for value in GROWTH[size][1]]
    for size, value in track(cases, description=args.command):
        config = load_config(args)
        name = GROWTH[size][0]
        if name.startswith('model.') and name.split('.')[1] not in {'bank', 'streams', *config.model}:
            continue
        if size == 'batch':
            value = config.train_dataloader.batch_size = int(value * config.train_dataloader.batch_size)
        elif size == 'frames':
            set_frames(config, value)
        else:
            config.merge_from_dict({name: value})
        if size == 'bank' and 'distillation' in config.model:
            # The same K in all of them.
            config.model.distillation.topk = min(config.model.distillation.topk, GROWTH['bank'][1][0])
        yield size, str(len(value) if size == 'streams' else value), config


def set_frames(config: Config, frames: int) -> None:
    """Sets the frames of all views, and the positions of a backbone that has some."""
    for view in config.model.data_preprocessor.train_views:
        for transform in view:
            if 'num_frames' in transform:
                transform.num_frames = frames
    if 'num_frames' in config.model.backbone:
        config.model.backbone.num_frames = frames


def benchmark_growth(args: argparse.Namespace) -> Tables:
    """Times a config's training step as one size after another grows."""
    rows = []
    for size, value, config in grown(args):
        model = full_bank_model(config, args.device)
        data = synthetic_batch(model, config.train_dataloader.batch_size)
        views = model.data_preprocessor(data, training=True)['inputs']

        def build(model=model, config=config) -> MethodStep:
            return MethodStep(deepcopy(model), config.optim_wrapper.optimizer, args.amp)

        seconds = time_steps(build(), views, args.repeats)
        times = {f'{phase} (ms)': 1000 * value for phase, value in seconds.items()}
        rows.append({'size': size, 'at': value, **times, 'memory (GiB)': step_memory(build, views) / 2**30})
    return {'growth': rows}


def benchmark_memory(args: argparse.Namespace) -> Tables:
    """Finds the memory of a config's training step from shapes, as one size after another grows."""
    rows = []
    for size, value, config in grown(args):
        optimizer, batch = config.optim_wrapper.optimizer, config.train_dataloader.batch_size
        memory = traced_memory(full_bank_model(config), optimizer, batch, args.amp)
        rows.append({'size': size, 'at': value, 'memory (GiB)': memory / 2**30})
    return {'memory': rows}


def benchmark_bigru(args: argparse.Namespace) -> Tables:
    """Times forward and backward of the BiGRU, whole and one frame at a time."""
    backbone = BiGRU(hidden_channels=args.hidden).to(args.device)
    forms = {'whole sequence': backbone, 'frame by frame, as released': StepwiseGRU(backbone)}
    keypoint = torch.randn(args.batch, 2, args.frames, 25, 3, device=args.device)
    dtypes, watch = {'float32': torch.float32, 'bfloat16': torch.bfloat16}, Stopwatch(args.device)
    for _ in range(args.repeats + 2):
        for name, form in forms.items():
            for precision, dtype in dtypes.items():
                with watch.phase(f'{name} {precision}'):
                    with torch.autocast(keypoint.device.type, dtype, enabled=precision != 'float32'):
                        feature = form(keypoint)
                    feature.float().sum().backward()
                form.zero_grad()
        watch.lap()
    seconds = watch.medians()
    rows = [
        {'form (ms)': name, **{precision: 1000 * seconds[f'{name} {precision}'] for precision in dtypes}}
        for name in forms
    ]
    ours, released = rows
    ratios = {precision: released[precision] / ours[precision] for precision in dtypes}
    mixed = {'form (ms)': 'ratio, released in float32 to whole', 'float32': ratios['float32']}
    return {
        'bigru': [
            *rows,
            {'form (ms)': 'ratio', **ratios},
            {**mixed, 'bfloat16': released['float32'] / ours['bfloat16']},
        ]
    }


COMMANDS = dict(step=benchmark_step, growth=benchmark_growth, memory=benchmark_memory, bigru=benchmark_bigru)


def main(argv=None) -> Tables:
    args = parse_args(argv)
    if args.json and (args.json.is_dir() or any(path.is_file() for path in args.json.parents)):
        raise SystemExit(f'--json {args.json}: there is a folder in its place, or a file in its way')
    tables = COMMANDS[args.command](args)
    console = Console()
    if args.command == 'bigru':
        name = f'BiGRU of {args.hidden}, batch {args.batch}, {args.frames} frames'
    else:
        name = f'{args.config}, {"bfloat16" if args.amp else "float32"}'
    console.print(f'{name}, on {args.device} with {torch.get_num_threads()} CPU threads')
    for rows in tables.values():
        table = Table(*rows[0])
        for row in rows:
            cells = (
                '' if cell is None else cell if isinstance(cell, str) else f'{cell:.4g}'
                for cell in row.values()
            )
            table.add_row(*cells)
        console.print(table)
    if args.json:
        write_file(args.json, json.dumps(tables, indent=1))
    return tables


if __name__ == '__main__':
    logging.disable(logging.INFO)  # of weight initialisation
    main()
