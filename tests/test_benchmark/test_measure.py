"""What is measured is what was done."""

from functools import partial
from itertools import count

import pytest
import torch

from tools.benchmark import measure
from tools.benchmark.measure import Stopwatch, peak_bytes


def test_a_phase_within_itself_counts_once_and_laps_are_apart(monkeypatch):
    # A clock that goes on by one at each look.
    monkeypatch.setattr(measure, 'perf_counter', partial(next, count()))
    watch = Stopwatch('cpu')
    for inner in (0, 2, 1):
        with watch.phase('outer'), watch.phase('outer'):
            for _ in range(inner):
                with watch.phase('inner'):
                    pass
        with watch.phase('outer'):
            pass
        watch.lap()
    # From its first to its last look; each inner phase looks twice.
    assert dict(watch.laps) == dict(outer=[2, 6, 4], inner=[2, 1])
    assert watch.medians() == dict(outer=4, inner=1.5)


def test_the_peak_counts_what_is_alive_at_once():
    def call():
        first = torch.ones(1000)
        view = first.view(10, 100)
        second = first + 1
        del first, second
        third = view + 1  # the view keeps the first alive
        del view
        return third

    assert peak_bytes(call, 'cpu') == pytest.approx(2 * 4000)


def test_what_autograd_keeps_counts_too():
    weight = torch.ones(1000, requires_grad=True)

    def call(keep):
        x = weight * 1.0
        for _ in range(5):
            x = x.sigmoid() if keep else x + 1
        x.sum().backward()
        weight.grad = None

    assert peak_bytes(lambda: call(True), 'cpu') >= peak_bytes(lambda: call(False), 'cpu') + 3 * 4000
