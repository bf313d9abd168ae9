"""Runs the jobs of a study side by side, each in a process of its own with one thread."""

import os
import signal
import subprocess
import time
from pathlib import Path
from statistics import mean
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from .grid import Job

#: The command that runs one job.
Command = Callable[[Job], List[str]]


class Schedule:
    """Jobs, as many at a time as there are workers.

    A job that fails is named and does not stop the rest. When the schedule is
    interrupted, its jobs are too; what they have finished is kept by themselves.

    Args:
        jobs: Jobs in order.
        command: Gives the command of a job.
        logs: Folder of their output, as ``NAME.log``.
        workers: Jobs at a time.
        known: Seconds that jobs took before, from which the time left is
            estimated.

    Raises:
        ValueError: If there is no worker.

    Example:
        >>> import sys
        >>> from tempfile import TemporaryDirectory
        >>> job = Job('gru', 'moco', 'mine', 0)
        >>> with TemporaryDirectory() as logs:
        ...     schedule = Schedule([job], lambda job: [sys.executable, '-c', 'exit(1)'], logs)
        ...     failed = [name for name, status in schedule.run()]
        >>> failed
        ['mine/gru/moco_seed0']
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        command: Command,
        logs: Path,
        workers: int = 1,
        known: Optional[Mapping[Job, float]] = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f'{workers} jobs at a time; at least one is needed')
        self.jobs, self.command, self.logs, self.workers = list(jobs), command, Path(logs), workers
        self.seconds = dict(known or {})
        self.waiting = list(self.jobs)
        self.running: Dict[subprocess.Popen, Tuple[Job, float]] = {}

    def log(self, job: Job) -> Path:
        """The file of a job's output."""
        return self.logs / f'{job.name}.log'

    def run(
        self, after: Callable[[Job, int], None] = lambda job, status: None, poll: float = 0.5
    ) -> Iterator[Tuple[str, int]]:
        """Runs all jobs.

        Args:
            after: Called with a job and its exit status when it has ended.
            poll: Seconds between two looks at the jobs.

        Yields:
            (name, exit status) of each job that failed.
        """
        environment = dict(os.environ, OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore')
        try:
            while self.waiting or self.running:
                while self.waiting and len(self.running) < self.workers:
                    self._start(self.waiting.pop(0), environment)
                time.sleep(poll)
                for process in [process for process in self.running if process.poll() is not None]:
                    job, begin = self.running.pop(process)
                    self.seconds[job] = time.monotonic() - begin
                    after(job, process.returncode)
                    if process.returncode:
                        yield job.name, process.returncode
        finally:
            self._stop()

    def _start(self, job: Job, environment: Dict[str, str]) -> None:
        log = self.log(job)
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, 'a', encoding='utf-8') as output:
            process = subprocess.Popen(
                self.command(job),
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self.running[process] = job, time.monotonic()

    def _stop(self) -> None:
        """Ends what still runs, with the processes that it started."""
        for process in self.running:
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
            process.wait()

    def time_left(self) -> float:
        """Estimated seconds until all jobs are done; infinite while nothing is known.

        A job takes as long as those of its method, encoder and data set did, or
        else as all did on average.
        """
        if not self.seconds:
            return float('inf')
        alike: Dict[Tuple[str, str, str], List[float]] = {}
        for job, seconds in self.seconds.items():
            alike.setdefault((job.encoder, job.method, job.data), []).append(seconds)
        usual = mean(self.seconds.values())

        def expected(job: Job) -> float:
            return mean(alike.get((job.encoder, job.method, job.data), [usual]))

        now = time.monotonic()
        left = sum(expected(job) for job in self.waiting)
        left += sum(max(0.0, expected(job) - (now - begin)) for job, begin in self.running.values())
        return left / self.workers
