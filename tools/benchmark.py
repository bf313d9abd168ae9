"""Times training steps of a config on synthetic data, or the BiGRU against its frame-by-frame form."""

import argparse
import json
import resource
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Callable, Dict, Iterator

import torch
from mmaction.registry import MODELS
from mmengine.config import Config, DictAction
from mmengine.registry import OPTIMIZERS, init_default_scope
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from i2md_mmaction.models import BiGRU
from i2md_mmaction.skeletons import get_layout


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    common.add_argument('--repeats', type=int, default=5, help='counted steps, after two uncounted')
    common.add_argument('--json', type=Path, help='file for the figures')
    step = commands.add_parser('step', parents=[common], help='training step of a config')
    step.add_argument('config')
    step.add_argument('--batch', type=int, help="samples a step; the config's by default")
    step.add_argument('--amp', action='store_true', help='bfloat16 autocast')
    step.add_argument('--cfg-options', nargs='+', action=DictAction)
    gru = commands.add_parser('bigru', parents=[common], help='BiGRU whole against frame by frame')
    gru.add_argument('--batch', type=int, default=64)
    gru.add_argument('--frames', type=int, default=64)
    gru.add_argument('--hidden', type=int, default=1024)
    return parser.parse_args(argv)


class Stopwatch:
    """Seconds of named phases, waiting for the device at their ends."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.seconds: Dict[str, list] = defaultdict(list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._wait()
        start = perf_counter()
        yield
        self._wait()
        self.seconds[name].append(perf_counter() - start)

    def _wait(self) -> None:
        if self.device.startswith('cuda'):
            torch.cuda.synchronize()

    def median(self, name: str) -> float:
        """Median of the counted repeats in seconds; the first two warm up."""
        return torch.tensor(self.seconds[name][2:]).median().item()


def matmul_peak(device: str, dtype: torch.dtype) -> float:
    """Measured rate of a large matrix product, in FLOP/s."""
    size = 8192 if device.startswith('cuda') else 1024
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    watch = Stopwatch(device)
    for _ in range(6):
        with watch.phase('matmul'):
            left @ right
    return 2 * size**3 / watch.median('matmul')


def peak_memory(device: str) -> int:
    """Peak memory in bytes: of the device, or of the process on a CPU."""
    if device.startswith('cuda'):
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def benchmark_step(args: argparse.Namespace) -> Dict[str, float]:
    """Times the phases of training steps of a config."""
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options or {})
    init_default_scope(config.get('default_scope', 'mmaction'))
    torch.manual_seed(0)
    model = MODELS.build(config.model).to(args.device).train()
    optimizer = OPTIMIZERS.build(dict(config.optim_wrapper.optimizer, params=model.parameters()))
    views = config.model.data_preprocessor
    batch = args.batch or config.train_dataloader.batch_size
    shape = (views.num_persons, 100, get_layout(views.layout).num_joints, 3)
    data = dict(inputs=[torch.randn(shape) for _ in range(batch)])
    watch, flops = Stopwatch(args.device), 0
    device_type = args.device.split(':')[0]
    for repeat in range(args.repeats + 2):
        with watch.phase('step'):
            with watch.phase('views'):
                inputs = model.data_preprocessor(data, training=True)['inputs']
            with (
                FlopCounterMode(display=False) if repeat == 0 else _nothing() as counter,
                torch.autocast(device_type, torch.bfloat16, enabled=args.amp),
            ):
                with watch.phase('forward and losses'):
                    losses = model(inputs, mode='loss')
                with watch.phase('backward'):
                    sum(value for name, value in losses.items() if 'loss' in name).backward()
            flops = counter.get_total_flops() if counter else flops
            with watch.phase('optimiser and memory'):
                optimizer.step()
                optimizer.zero_grad()
                model.update_memory()
    figures = {f'{name} (ms)': 1000 * watch.median(name) for name in watch.seconds}
    peak = matmul_peak(args.device, torch.bfloat16 if args.amp else torch.float32)
    rate = flops / watch.median('step')
    return {
        **figures,
        'samples/s': batch / watch.median('step'),
        'peak memory (GiB)': peak_memory(args.device) / 2**30,
        'model GFLOP a sample': flops / batch / 1e9,
        'rate (GFLOP/s)': rate / 1e9,
        'share of the matrix-product peak (%)': 100 * rate / peak,
    }


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


def benchmark_bigru(args: argparse.Namespace) -> Dict[str, float]:
    """Times forward and backward of the BiGRU, whole and one frame at a time."""
    backbone = BiGRU(hidden_channels=args.hidden).to(args.device)
    reference = torch.nn.GRU(150, args.hidden, 3, batch_first=True, bidirectional=True).to(args.device)
    keypoint = torch.randn(args.batch, 2, args.frames, 25, 3, device=args.device)
    frames = keypoint.permute(0, 2, 3, 4, 1).flatten(2)

    def stepwise() -> torch.Tensor:
        state = None
        for frame in frames.split(1, dim=1):
            output, state = reference(frame, state)
        return output[:, 0]

    forms: Dict[str, Callable] = {'whole sequence': lambda: backbone(keypoint), 'frame by frame': stepwise}
    watch = Stopwatch(args.device)
    for _ in range(args.repeats + 2):
        for name, form in forms.items():
            with watch.phase(name):
                form().sum().backward()
    figures = {f'{name} (ms)': 1000 * watch.median(name) for name in forms}
    return {**figures, 'ratio': watch.median('frame by frame') / watch.median('whole sequence')}


def main(argv=None) -> Dict[str, float]:
    args = parse_args(argv)
    figures = dict(step=benchmark_step, bigru=benchmark_bigru)[args.command](args)
    name = args.config if args.command == 'step' else f'BiGRU, batch {args.batch}, {args.frames} frames'
    table = Table('figure', 'value', title=f'{name} on {args.device}, {torch.get_num_threads()} CPU threads')
    for figure, value in figures.items():
        table.add_row(figure, f'{value:.4g}')
    Console().print(table)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    return figures


if __name__ == '__main__':
    main()
