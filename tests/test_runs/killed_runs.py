"""Runs that are killed while they write, and gone on from; run as a process of its own.

    killed_runs.py stages FOLDER CONFIG   killed at every stage of every write
    killed_runs.py random FOLDER CONFIG   killed 20 times at random moments

Prints a line for each kill and fails where a run could not go on.
"""

import builtins
import os
import random
import shutil
import signal
import sys
import time
from itertools import count
from pathlib import Path

import mmengine
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import i2md_mmaction  # noqa: F401
from i2md_mmaction.evaluation.metrics import KNNAccuracy


def train(work_dir, config, epochs):
    """Trains a run of a config, or goes on with it."""
    config = Config.fromfile(config)
    config.train_cfg.max_epochs = epochs
    config.work_dir = str(work_dir)
    config.experiment_name = config.visualizer.name = f'{work_dir}_{os.getpid()}_{time.time_ns()}'
    # Better every time, so that there is a new best checkpoint to write.
    KNNAccuracy.compute_metrics = lambda self, results: dict(top1=time.time())
    Runner.from_cfg(config).train()


class Halves:
    """A file that writes in two halves, with a stage between them."""

    def __init__(self, file, stage):
        self.file, self.stage = file, stage

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        half = len(data) // 2
        self.file.write(data[:half])
        self.file.flush()
        self.stage()
        self.file.write(data[half:])


def kill_at(number, work_dir):
    """Kills this process at the given stage; notes if there was a moment without the best checkpoint."""
    stages, had_best = count(1), []

    def watched(path):
        return (
            isinstance(path, (str, Path))
            and str(path).startswith(str(work_dir))
            and ('.pth' in str(path) or 'last_checkpoint' in str(path))
        )

    def stage():
        if list(work_dir.glob('best*.pth')):
            had_best.append(True)
        elif had_best:
            (work_dir / 'LOST').touch()
        if next(stages) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def staged(function):
        def call(path, *arguments, **options):
            if watched(path):
                stage()
            return function(path, *arguments, **options)

        return call

    real_open = builtins.open

    def open_in_halves(path, mode='r', *arguments, **options):
        if not watched(path) or set(mode).isdisjoint('wx'):
            return real_open(path, mode, *arguments, **options)
        stage()
        return Halves(real_open(path, mode, *arguments, **options), stage)

    builtins.open = open_in_halves
    for name in ('replace', 'rename', 'remove', 'unlink'):
        setattr(os, name, staged(getattr(os, name)))


def child(function, *arguments):
    """Starts a function in a fork of this process, which has all imports behind it."""
    process = os.fork()
    if process:
        return process
    try:
        function(*arguments)
    except BaseException as error:
        print(f'{type(error).__name__}: {error}', flush=True)
        os._exit(1)
    os._exit(0)


def wait(process):
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def check_whole(work_dir):
    """No checkpoint under its name is a half one, and the best was never missing."""
    assert not (work_dir / 'LOST').exists(), 'there was a moment without a best checkpoint'
    for path in work_dir.glob('*.pth'):
        torch.load(path, map_location='cpu', weights_only=True)


def stages(folder, config, epochs=2):
    train(folder / 'unbroken', config, epochs)
    expected = torch.load(folder / f'unbroken/epoch_{epochs}.pth', weights_only=True)['state_dict']

    def killed(work_dir, number):
        kill_at(number, work_dir)
        train(work_dir, config, epochs)

    for number in count(1):
        work_dir = folder / 'broken'
        shutil.rmtree(work_dir, ignore_errors=True)
        status = wait(child(killed, work_dir, number))
        if status == 0:
            break
        assert status == -signal.SIGKILL, f'stage {number}: exit status {status}'
        check_whole(work_dir)
        assert wait(child(train, work_dir, config, epochs)) == 0, f'stage {number}: could not go on'
        check_whole(work_dir)
        resumed = torch.load(work_dir / f'epoch_{epochs}.pth', weights_only=True)['state_dict']
        assert all(torch.equal(value, expected[name]) for name, value in resumed.items())
        print('gone on from stage', number, flush=True)


def random_kills(folder, config):
    work_dir, generator = folder / 'random', random.Random(0)
    mark = work_dir / 'last_checkpoint'
    train(folder / 'first', config, 1)
    for number in range(20):
        before = mark.read_text() if mark.exists() else ''
        process = child(train, work_dir, config, 100_000)
        # Once it goes on, however slow the machine is, the next moment will do.
        while os.waitpid(process, os.WNOHANG) == (0, 0) and (not mark.exists() or mark.read_text() == before):
            time.sleep(0.01)
        time.sleep(generator.uniform(0, 0.3))
        os.kill(process, signal.SIGKILL)
        status = wait(process)
        assert status == -signal.SIGKILL, f'kill {number}: the run had ended with status {status}'
        check_whole(work_dir)
        print('killed', number, flush=True)
    reached = int(Path(mark.read_text()).stem.split('_')[1])
    assert wait(child(train, work_dir, config, reached + 1)) == 0
    assert reached >= 20 and (work_dir / f'epoch_{reached + 1}.pth').is_file()


if __name__ == '__main__':
    # Slow at every start of a run, and not what is tested: versions of compilers, and a pretty config.
    mmengine.runner.runner.collect_env = dict
    Config.pretty_text = ''
    torch.set_num_threads(1)
    kind, folder, config = sys.argv[1], Path(sys.argv[2]).resolve(), sys.argv[3]
    dict(stages=stages, random=random_kills)[kind](folder, config)
