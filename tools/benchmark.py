"""Measures speed and memory: a config's training step, how it grows, and the BiGRU."""

import argparse
import json
from copy import deepcopy
from pathlib import Path
from typing import Any, Dict, List

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table

from i2md_mmaction.benchmark import (
    MethodStep,
    PlainStep,
    Stopwatch,
    build_model,
    count_flops,
    matmul_peak,
    step_memory,
    synthetic_batch,
    time_steps,
)
from i2md_mmaction.benchmark.plain import StepwiseGRU
from i2md_mmaction.models import BiGRU

#: What grows, how it is set in a config, and the values tried.
GROWTH = {
    'bank': ('model.bank.size', (4096, 16384, 65536)),
    'K': ('model.distillation.topk', (64, 1024, 8192)),
    'K_d': ('model.num_neighbors', (16, 64, 256)),
    'batch': ('train_dataloader.batch_size', (8, 16, 32)),
    'frames': ('frames', (16, 32, 64)),
    'streams': ('model.streams', (['joint'], ['joint', 'motion'], ['joint', 'motion', 'bone'])),
}


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
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
    growth = commands.add_parser('growth', parents=[common, config], help='a step as its sizes grow')
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
        args.amp = config.optim_wrapper.type == 'AmpOptimWrapper'
    init_default_scope(config.get('default_scope', 'mmaction'))
    return config


def benchmark_step(args: argparse.Namespace) -> Dict[str, Any]:
    """Times a config's training step, phase by phase, beside the plain reference."""
    config = load_config(args)
    batch, optimizer = config.train_dataloader.batch_size, config.optim_wrapper.optimizer
    model = build_model(config)
    flops = count_flops(model)
    model = model.to(args.device)
    data, watch = synthetic_batch(model, batch), Stopwatch(args.device)
    for _ in range(args.repeats + 2):
        with watch.phase('views'):
            views = model.data_preprocessor(data, training=True)['inputs']
        watch.lap()

    def ours(compiled: bool = False) -> MethodStep:
        return MethodStep(deepcopy(model), optimizer, args.amp, compiled)

    def plain() -> PlainStep:
        return PlainStep(model, optimizer)

    seconds = {'ours': time_steps(ours(args.compile), views, args.repeats, split=not args.compile)}
    memory = {'ours': step_memory(ours, views) / 2**30}
    if args.plain:
        seconds['plain'] = time_steps(plain(), views, args.repeats)
        memory['plain'] = step_memory(plain, views) / 2**30
    for figures in seconds.values():
        figures['views'] = watch.medians()['views']
    peak = matmul_peak(args.device, torch.bfloat16 if args.amp else torch.float32)
    step = seconds['ours']['step']
    return {
        'milliseconds': {
            form: {name: 1000 * value for name, value in figures.items()} for form, figures in seconds.items()
        },
        'ratio': seconds['plain']['step'] / step if args.plain else None,
        'samples/s': batch / (step + seconds['ours']['views']),
        'peak memory (GiB)': memory,
        'model GFLOP a sample': flops / 1e9,
        'rate (GFLOP/s)': batch * flops / step / 1e9,
        'matrix-product peak (GFLOP/s)': peak / 1e9,
        'share of the peak (%)': 100 * batch * flops / step / peak,
    }


def benchmark_growth(args: argparse.Namespace) -> List[Dict[str, Any]]:
    """Times a config's training step as one size after another grows."""
    rows = []
    cases = [(size, value) for size in args.sizes for value in GROWTH[size][1]]
    for size, value in track(cases, description='growth'):
        config = load_config(args)
        name = GROWTH[size][0]
        if name.startswith('model.') and name.split('.')[1] not in {'bank', 'streams', *config.model}:
            continue
        if size == 'frames':
            _set_frames(config, value)
        else:
            config.merge_from_dict({name: value})
        model = build_model(config, args.device)
        data = synthetic_batch(model, config.train_dataloader.batch_size)
        views = model.data_preprocessor(data, training=True)['inputs']

        def build(model=model, config=config) -> MethodStep:
            return MethodStep(deepcopy(model), config.optim_wrapper.optimizer, args.amp)

        seconds = time_steps(build(), views, args.repeats)
        rows.append(
            {
                'size': size,
                'value': len(value) if size == 'streams' else value,
                **{
                    f'{phase} (ms)': 1000 * seconds[phase]
                    for phase in ('forward', 'losses', 'backward', 'step')
                },
                'peak memory (GiB)': step_memory(build, views) / 2**30,
            }
        )
    return rows


def _set_frames(config: Config, frames: int) -> None:
    """Sets the frames of all views, and the positions of a backbone that has some."""
    for view in config.model.data_preprocessor.train_views:
        for transform in view:
            if 'num_frames' in transform:
                transform.num_frames = frames
    if 'num_frames' in config.model.backbone:
        config.model.backbone.num_frames = frames


def benchmark_bigru(args: argparse.Namespace) -> Dict[str, Any]:
    """Times forward and backward of the BiGRU, whole and one frame at a time."""
    backbone = BiGRU(hidden_channels=args.hidden).to(args.device)
    stepwise = StepwiseGRU(backbone)
    keypoint = torch.randn(args.batch, 2, args.frames, 25, 3, device=args.device)
    forms = {'whole sequence': backbone, 'frame by frame': stepwise}
    watch = Stopwatch(args.device)
    for _ in range(args.repeats + 2):
        for name, form in forms.items():
            for dtype in (torch.float32, torch.bfloat16):
                with watch.phase(f'{name}, {str(dtype)[6:]}'):
                    with torch.autocast(keypoint.device.type, dtype, enabled=dtype != torch.float32):
                        feature = form(keypoint)
                    feature.float().sum().backward()
                form.zero_grad()
        watch.lap()
    seconds = watch.medians()
    return {
        'milliseconds': {name: 1000 * value for name, value in seconds.items()},
        'ratios': {
            'float32': seconds['frame by frame, float32'] / seconds['whole sequence, float32'],
            'bfloat16': seconds['frame by frame, bfloat16'] / seconds['whole sequence, bfloat16'],
            'released, in float32, to ours, in bfloat16': seconds['frame by frame, float32']
            / seconds['whole sequence, bfloat16'],
        },
    }


def show(command: str, title: str, figures: Any) -> None:
    """Prints the figures as a table."""
    console = Console()
    if command == 'growth':
        table = Table(*figures[0], title=title)
        for row in figures:
            table.add_row(*(value if isinstance(value, str) else f'{value:.4g}' for value in row.values()))
        console.print(table)
        return
    if command == 'step':
        forms = figures['milliseconds']
        table = Table('phase (ms)', *forms, *(['ratio'] if len(forms) > 1 else []), title=title)
        for phase, value in forms['ours'].items():
            cells = [forms[form].get(phase) for form in forms]
            if len(cells) > 1:
                cells.append(cells[1] / value if cells[1] else None)
            table.add_row(phase, *('' if cell is None else f'{cell:.4g}' for cell in cells))
        console.print(table)
    table = Table('figure', 'value', title='' if command == 'step' else title)
    for name, value in figures.items():
        if isinstance(value, dict):
            for part, number in value.items() if not (command == 'step' and name == 'milliseconds') else ():
                table.add_row(f'{name}, {part}', f'{number:.4g}')
        elif value is not None:
            table.add_row(name, f'{value:.4g}')
    console.print(table)


def main(argv=None) -> Any:
    args = parse_args(argv)
    figures = dict(step=benchmark_step, growth=benchmark_growth, bigru=benchmark_bigru)[args.command](args)
    name = args.config if args.command != 'bigru' else f'BiGRU, batch {args.batch}, {args.frames} frames'
    precision = f', {"bfloat16" if args.amp else "float32"}' if args.command != 'bigru' else ''
    show(args.command, f'{name} on {args.device}{precision}, {torch.get_num_threads()} CPU threads', figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    return figures


if __name__ == '__main__':
    main()
