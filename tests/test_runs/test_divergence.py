"""A run that diverges stops, says where, and leaves no number behind."""

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.runner import Runner

from i2md_mmaction.engine import DivergedError
from i2md_mmaction.models import InfoNCELoss


@TRANSFORMS.register_module()
class SpoilThirdSample:
    """A transform that breaks one sample, which no check of the file can foresee."""

    def __call__(self, results):
        if results['frame_dir'] == 'sample_3':
            results['keypoint'] = np.full_like(results['keypoint'], np.nan)
        return results


@pytest.mark.parametrize('name', ['moco_demo', 'i2md_demo'])
def test_an_infinite_learning_rate_ends_the_run_without_a_best_checkpoint(
    name, annotations, tmp_path, small_config
):
    config = small_config(name, annotations, tmp_path / 'run', epochs=5)
    config.optim_wrapper.optimizer.lr = float('inf')
    config.train_dataloader.batch_size = 2
    config.default_hooks.logger.interval = 50  # read at the end of the epoch only
    runner = Runner.from_cfg(config)
    with pytest.raises(DivergedError) as error:
        runner.train()
    message = str(error.value)
    assert message.startswith('iteration 2, epoch 1: ') and 'loss_nce_joint is nan' in message
    assert 'Learning rate inf' in message and 'precision of OptimWrapper' in message
    assert 'Samples of this step: sample_' in message and 'Lower the learning rate' in message
    assert not list((tmp_path / 'run').glob('*.pth'))
    assert all(torch.isfinite(runner.model.bank[entry]).all() for entry in runner.model.bank.dims)


def test_the_first_loss_that_is_not_finite_is_named_with_its_samples(
    annotations, tmp_path, small_config, monkeypatch
):
    """Six losses a step: two of three streams, one step after the other."""
    calls, forward, steps = [], InfoNCELoss.forward, []

    def spoilt(self, *similarities):
        calls.append(self)
        return forward(self, *similarities) * (float('nan') if len(calls) == 3 * 2 + 2 else 1)

    monkeypatch.setattr(InfoNCELoss, 'forward', spoilt)
    config = small_config('moco_demo', annotations, tmp_path / 'run', epochs=2)
    config.train_dataloader.update(batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False))
    config.default_hooks.logger.interval = 50
    runner = Runner.from_cfg(config)
    step = runner.model.train_step
    monkeypatch.setattr(runner.model, 'train_step', lambda *a, **k: (steps.append(1), step(*a, **k))[1])
    with pytest.raises(
        DivergedError, match='iteration 3, epoch 1: loss is nan, loss_nce_motion is nan.'
    ) as e:
        runner.train()
    assert 'sample_4, sample_5' in str(e.value) and 'loss_nce_joint' not in str(e.value)
    # Nothing waited for a loss: the steps until the losses were read were taken.
    assert len(steps) == 4


def test_a_sample_that_the_pipeline_breaks_is_named_before_its_step(annotations, tmp_path, small_config):
    config = small_config('moco_demo', annotations, tmp_path / 'run', epochs=1)
    config.train_dataloader.dataset.pipeline.insert(1, dict(type='SpoilThirdSample'))
    runner = Runner.from_cfg(config)
    with pytest.raises(ValueError, match='keypoints of 1 samples are NaN or infinite.*: sample_3; repair'):
        runner.train()
    assert int(runner.model.bank.filled) == 0


def test_no_accuracy_is_reported_for_weights_that_are_not_finite(annotations, tmp_path, small_config):
    runner = Runner.from_cfg(small_config('moco_demo', annotations, tmp_path / 'run', epochs=1))
    runner.train()
    with torch.no_grad():
        runner.model.streams['motion'].query.backbone.input_norm.weight.fill_(float('nan'))
    with pytest.raises(ValueError, match="features of stream 'motion': 8 of 8 rows are NaN or infinite"):
        runner.test()
