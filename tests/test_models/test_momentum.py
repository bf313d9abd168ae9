"""The momentum is read when it is used, and the bank hands out what belongs to a stream."""

from math import cos, pi
from types import SimpleNamespace

import pytest
import torch

from i2md_mmaction.engine import MomentumScheduleHook


@pytest.fixture
def model(build_pretrainer):
    return build_pretrainer('SkeletonMoCo')


def test_the_view_of_a_stream_is_its_part_of_the_bank(model):
    assert model.bank.view('bone').key.data_ptr() == model.bank['bone_key'].data_ptr()
    assert not torch.equal(model.bank.view('bone').key, model.bank.view('joint').key)
    with pytest.raises(KeyError, match="no entries of stream 'depth'; it has .*bone_key"):
        model.bank.view('depth')


@pytest.mark.parametrize('momentum', [0.9, 0.25, 1.0])
def test_an_update_takes_the_momentum_that_the_model_has_then(model, momentum):
    model.momentum = momentum
    stream = model.streams['joint']
    expected = [
        momentum * key.double() + (1 - momentum) * query.double()
        for key, query in zip(stream.key.parameters(), stream.query.parameters())
    ]
    model.update_encoders()
    for key, value in zip(stream.key.parameters(), expected):
        torch.testing.assert_close(key.double(), value, atol=1e-6, rtol=0)


def test_the_schedule_raises_the_momentum_along_half_a_cosine_also_after_a_resume(model):
    def follow(begin, end, total=8):
        model.momentum = 0.9  # what a model is built with, also on a resume
        runner = SimpleNamespace(model=model, iter=begin, max_iters=total)
        hook = MomentumScheduleHook()
        hook.before_train(runner)
        seen = []
        for runner.iter in range(begin, end):
            hook.before_train_iter(runner, 0)
            seen.append(model.momentum)
        return seen

    unbroken = follow(0, 9)
    assert unbroken == pytest.approx([1 - 0.1 * (cos(pi * k / 8) + 1) / 2 for k in range(9)])
    assert unbroken[0] == pytest.approx(0.9) and unbroken[-1] == 1
    assert follow(0, 3) + follow(3, 9) == unbroken


def test_the_schedule_begins_at_the_same_momentum_when_a_run_trains_again(model):
    hook, runner = MomentumScheduleHook(), SimpleNamespace(model=model, iter=6, max_iters=8)
    for _ in range(2):
        hook.before_train(runner)
        hook.before_train_iter(runner, 0)
        assert model.momentum == pytest.approx(1 - 0.1 * (cos(pi * 6 / 8) + 1) / 2)
