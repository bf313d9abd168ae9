"""One run of a study: pre-training through mmaction2's train tool, evaluation, one small JSON file."""

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Dict, List, Optional, Tuple, Union

import mmaction
import numpy as np
import torch
from mmengine.config import Config
from torch.utils.flop_counter import FlopCounterMode

from ..evaluation.history import read_scalars
from ..evaluation.inference import build_dataloader, dataloaders, embed_split, load_model
from ..evaluation.knn import knn_predict
from ..protocols import Evaluation
from ..protocols.identity import data_digest, identify
from ..protocols.table import find_protocol
from .grid import RAW, Grid, Job
from .results import ALL, Result, pack

#: mmaction2's own tool.
TRAIN = Path(mmaction.__path__[0], '.mim', 'tools', 'train.py')
#: Protocol -> stream -> which samples are right, packed; and the names of the samples.
Outcome = Tuple[Dict[str, Dict[str, str]], List[str]]


def run_job(grid: Grid, job: Job, folder: Union[str, Path], results: Union[str, Path]) -> List[Result]:
    """Trains and evaluates one run, or goes on with what is left of it.

    Args:
        grid: The grid it belongs to.
        job: The run.
        folder: Where runs keep their logs, checkpoints and evaluations.
        results: Where its JSON files go, one for each data set that it is
            evaluated on.

    Raises:
        RuntimeError: If training or a protocol fails; the message says where the
            log is.
    """
    work_dir = Path(folder, job.name).resolve()
    os.environ.update(grid.environment(job))
    file = grid.compose(job, work_dir)
    config = Config.fromfile(file)
    checkpoint = train(config, file, job, work_dir) if job.pretrains else None
    origin = source(grid, config)
    found = []
    for seen in grid.evaluations(job):
        out = work_dir / 'evaluation' / seen.data
        file = grid.compose_evaluation(job, seen.data, out)
        found.append(measure(grid, seen, file, checkpoint, out, origin))
        found[-1].save(results)
    return found


def measure(grid: Grid, job: Job, file: Path, checkpoint: Optional[Path], out: Path, origin: Dict) -> Result:
    """The result of a run on the data set of a config."""
    config = Config.fromfile(file)
    if job.method == RAW:
        right, names, measured = *evaluate_joints(config), {}
    else:
        right, names = evaluate(grid, job, file, checkpoint, out)
        measured = cost(config, checkpoint)
    return Result(
        job.encoder,
        job.method,
        job.data,
        job.seed,
        job.fold,
        samples=len(names),
        names=hashlib.sha256('\n'.join(names).encode()).hexdigest(),
        right=right,
        cost=measured,
        source=origin,
    )


def train(config: Config, file: Path, job: Job, work_dir: Path) -> Path:
    """The last checkpoint of a run, which is trained, or gone on with, unless it is there."""
    last = work_dir / f'epoch_{config.train_cfg.max_epochs}.pth'
    if last.is_file():
        return last
    log = work_dir / 'train.log'
    # Relative: the checkpoint keeps the folder, and whoever publishes it not the name of this machine's.
    folder = os.path.relpath(work_dir)
    command = [sys.executable, str(TRAIN), str(file), '--seed', str(job.seed), '--work-dir', folder]
    with open(log, 'a', encoding='utf-8') as output:
        done = subprocess.run([*command, '--resume'], stdout=output, stderr=subprocess.STDOUT)
    if done.returncode or not last.is_file():
        raise RuntimeError(f'training of {job.name} ended with status {done.returncode}; see {log}')
    return last


def evaluate(grid: Grid, job: Job, file: Path, checkpoint: Optional[Path], out: Path) -> Outcome:
    """What the protocols of a run get right."""
    options = dict(runs=1, balance='class', seed=job.seed)
    evaluation = Evaluation(file, checkpoint, out, grid.configs / 'protocols', **options)
    right = {}
    for name in grid.protocols(job):
        kept = {}
        for unit in evaluation.units([name]):
            outcome = evaluation.run(unit)
            if outcome['status'] != 'finished':
                raise RuntimeError(f'{unit.name} of {job.name} failed: {outcome["error"]}; see {out}')
            kept[unit.stream] = np.load(out / 'results' / f'{unit.name}.npz')
        labels = next(iter(kept.values()))['labels']
        if name == 'knn':
            rows = kept[None]
            found = {key[len('k1_top1_') :] or ALL: rows[key] for key in rows if key.startswith('k1_')}
        else:
            scores = {stream: rows['scores'] for stream, rows in kept.items()}
            scores[ALL] = find_protocol(name).fuse(dict(scores))
            found = {stream: row.argmax(axis=1) for stream, row in scores.items()}
        right[name] = {stream: pack(row == labels) for stream, row in found.items()}
    return right, evaluation.loaders['query'].dataset.names


def evaluate_joints(config: Config) -> Outcome:
    """What 1-NN of the joints gets right, pre-normalised and under the view of evaluation."""
    model = load_model(config)
    loaders = {part: build_dataloader(loader) for part, loader in dataloaders(config).items()}
    embedded = {part: embed_split(model, loader, with_joints=True) for part, loader in loaders.items()}
    (query, labels), (bank, bank_labels) = embedded['query'], embedded['bank']
    found = knn_predict(query[RAW], bank[RAW], bank_labels)
    return dict(knn={ALL: pack(found == labels)}), loaders['query'].dataset.names


def cost(config: Config, checkpoint: Optional[Path]) -> Dict[str, float]:
    """Parameters and GFLOPs of embedding a sample; epochs, steps and time of the training, if any."""
    model = load_model(config)
    views = model.data_preprocessor
    frames = config.model.data_preprocessor.test_view[0].num_frames
    sample = torch.randn(1, views.num_persons, frames, views.num_joints, views.num_coordinates)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(sample, mode='tensor')
    measured = dict(
        parameters=sum(value.numel() for value in model.parameters() if value.requires_grad),
        gflops=round(counter.get_total_flops() / 1e9, 4),
    )
    if checkpoint is not None:
        steps = torch.load(checkpoint, map_location='cpu', weights_only=True)['meta']['iter']
        step = median(read_scalars(checkpoint.parent, 'time')[''][1])
        measured.update(
            epochs=config.train_cfg.max_epochs,
            steps=steps,
            ms_per_step=round(1000 * step, 1),
            seconds=round(steps * step, 1),
        )
    return measured


def source(grid: Grid, config: Config) -> Dict[str, Union[str, int]]:
    """Where a result comes from."""
    return dict(
        commit=commit(grid.path.parent),
        config=identify('', config, {}, data_digest),
        processor=processor(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )


def commit(folder: Path) -> str:
    """The commit that is checked out, with a plus where something is not committed."""

    def git(*command: str) -> str:
        done = subprocess.run(['git', *command], cwd=folder, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ''

    return git('rev-parse', 'HEAD') + ('+' if git('status', '--porcelain', '--untracked-files=no') else '')


def processor() -> str:
    """The name of the processor, or of the accelerator that computes."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.is_file() else []
    named = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return named[0] if named else platform.processor()
