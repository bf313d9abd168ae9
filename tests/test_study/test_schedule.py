"""Jobs side by side: none is lost, a failure does not stop the rest, an interrupt leaves no process."""

import sys
from pathlib import Path

import pytest

from i2md_mmaction.study.grid import Job
from i2md_mmaction.study.schedule import Schedule
from tests.processes import is_running, wait_for

JOBS = [Job('gru', 'moco', 'mine', seed) for seed in range(5)]


def python(code):
    return [sys.executable, '-S', '-c', code]


def test_a_failed_job_is_named_and_the_rest_runs(tmp_path):
    def command(job):
        mark = str(tmp_path / str(job.seed))
        return python(f'open({mark!r}, "w"); print("seed"); raise SystemExit({job.seed % 2 * 3})')

    schedule, ended = Schedule(JOBS, command, tmp_path / 'logs', workers=2), []
    failed = list(schedule.run(lambda job, status: ended.append((job.seed, status)), poll=0.01))
    assert sorted(failed) == [('mine/gru/moco_seed1', 3), ('mine/gru/moco_seed3', 3)]
    assert sorted(ended) == [(0, 0), (1, 3), (2, 0), (3, 3), (4, 0)]
    assert all((tmp_path / str(seed)).exists() for seed in range(5))
    assert all(schedule.log(job).read_text() == 'seed\n' for job in JOBS)


def test_no_more_run_at_a_time_than_there_are_workers(tmp_path):
    # Each waits until another one has begun, unless all have, and then leaves its time.
    code = """
import os, time
folder, seed, begun = {folder!r}, {seed}, time.monotonic()
open(f'{{folder}}/{{seed}}.begun', 'w')
while sum(name.endswith('.begun') for name in os.listdir(folder)) < min(seed + 2, 5):
    time.sleep(0.01)
open(f'{{folder}}/{{seed}}.ended', 'w').write(f'{{begun}} {{time.monotonic()}}')
"""
    (tmp_path / 'marks').mkdir()

    def command(job):
        return python(code.format(folder=str(tmp_path / 'marks'), seed=job.seed))

    assert list(Schedule(JOBS, command, tmp_path / 'logs', workers=2).run(poll=0.01)) == []
    times = [tuple(map(float, path.read_text().split())) for path in (tmp_path / 'marks').glob('*.ended')]
    assert len(times) == 5
    at_a_time = [sum(begun <= moment < ended for begun, ended in times) for moment, _ in times]
    assert max(at_a_time) == 2


def test_a_job_computes_with_one_thread(tmp_path):
    def command(job):
        return python('import os; print(os.environ["OMP_NUM_THREADS"])')

    schedule = Schedule(JOBS[:1], command, tmp_path)
    assert list(schedule.run(poll=0.01)) == [] and schedule.log(JOBS[0]).read_text() == '1\n'


def test_an_interrupt_ends_what_runs_with_all_that_it_started(tmp_path):
    mark = tmp_path / 'child'
    child = f'import os, time; open({str(mark)!r}, "w").write(str(os.getpid())); time.sleep(1000)'
    code = f'import subprocess, sys; subprocess.run([sys.executable, "-S", "-c", {child!r}])'
    schedule = Schedule(
        JOBS[:2], lambda job: python(code if job.seed == 0 else 'raise SystemExit(1)'), tmp_path, workers=2
    )

    def interrupt(job, status):
        wait_for(lambda: mark.exists() and mark.read_text(), seconds=120)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(schedule.run(interrupt, poll=0.01))
    wait_for(lambda: not is_running(mark.read_text()), seconds=120)


def test_the_time_left_is_that_of_jobs_alike_or_else_of_all():
    known = {Job('gru', 'moco', 'mine', 0): 100.0, Job('gru', 'moco', 'mine', 1): 200.0}
    jobs = [Job('gru', 'moco', 'mine', 2), Job('gru', 'cmd', 'mine', 0)]
    assert Schedule(jobs, None, Path(), workers=2, known=known).time_left() == pytest.approx((150 + 150) / 2)
    known[Job('gru', 'cmd', 'mine', 1)] = 600.0
    assert Schedule(jobs, None, Path(), workers=1, known=known).time_left() == pytest.approx(150 + 600)
    assert Schedule(jobs, None, Path()).time_left() == float('inf')
