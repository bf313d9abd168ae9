"""Hooks: a class a job, no arithmetic of a loss."""

import math
from functools import partial
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dist import broadcast_object_list, get_rank
from mmengine.hooks import Hook, LoggerHook, RuntimeInfoHook
from mmengine.model import is_model_wrapper


class DivergedError(RuntimeError):
    """A run whose losses or weights are no longer finite."""

    #: What to look at.
    remedy = (
        'Lower the learning rate or warm it up, look at the samples and at what the pipeline makes of them, '
        'or train in float32 (optim_wrapper.type=OptimWrapper)'
    )


def unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """The model inside a distributed wrapper."""
    return model.module if is_model_wrapper(model) else model


@HOOKS.register_module()
class MoCoMemoryHook(Hook):
    """Updates key encoders and bank once for each step of the optimiser.

    It runs right after the step, so that the next step takes its keys from the updated encoders, as in CMD.
    Under gradient accumulation it waits for the step, then enqueues the keys of all iterations before it.

    Example:
        >>> from types import SimpleNamespace
        >>> model = SimpleNamespace(update_encoders=lambda: print('keys'), enqueue_keys=lambda: print('bank'))
        >>> runner = SimpleNamespace(model=model, optim_wrapper=SimpleNamespace(should_update=lambda: True))
        >>> MoCoMemoryHook().after_train_iter(runner, batch_idx=0)
        keys
        bank
    """

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Updates the encoders, then the bank, if the optimiser stepped."""
        if runner.optim_wrapper.should_update():
            model = unwrapped(runner.model)
            model.update_encoders()
            model.enqueue_keys()


@HOOKS.register_module()
class MomentumScheduleHook(Hook):
    """Raises the momentum of the key encoders over training, along half a cosine.

    ``m = 1 - (1 - m_0) * (cos(pi * k / K) + 1) / 2`` after k of K iterations, m_0 being the momentum of
    the model's config. Source: BYOL (Grill et al., NeurIPS 2020), section 3.3. CMD, I2MD and AimCLR keep
    it at m_0, as the configs here do; to raise it, add this hook:
    ``default_hooks=dict(momentum=dict(type='MomentumScheduleHook'))``.

    Example:
        >>> from types import SimpleNamespace
        >>> runner = SimpleNamespace(model=SimpleNamespace(momentum=0.99), iter=50, max_iters=100)
        >>> hook = MomentumScheduleHook()
        >>> hook.before_train(runner)
        >>> hook.before_train_iter(runner, batch_idx=50)
        >>> round(runner.model.momentum, 3)  # half the way from 0.99 to 1
        0.995
    """

    def __init__(self) -> None:
        self._base: Optional[float] = None

    def before_train(self, runner) -> None:
        """Takes the momentum that the model was built with; it is no part of a checkpoint."""
        if self._base is None:  # a second call of train() finds it raised
            self._base = unwrapped(runner.model).momentum

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Sets the momentum of the update that follows the iteration."""
        rise = (math.cos(math.pi * runner.iter / runner.max_iters) + 1) / 2
        unwrapped(runner.model).momentum = 1 - (1 - self._base) * rise


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Seeds all draws of a step by (seed, rank, iteration).

    A resumed run then draws exactly what the unbroken one would have drawn, whatever was evaluated in
    between, and no generator is saved. The order of the samples follows the same seed, even one that comes
    from the checkpoint, which MMEngine reads only after it has built the dataloader.

    Example:
        >>> from types import SimpleNamespace
        >>> def draw(iteration):
        ...     StepSeedHook().before_train_iter(SimpleNamespace(seed=0, iter=iteration), batch_idx=0)
        ...     return torch.rand(()).item()
        >>> draw(7) == draw(7), draw(7) == draw(8)
        (True, False)
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        """Gives the run's seed to the sampler and the workers."""
        loop = runner.train_loop
        loader = loop.dataloader
        sampler = getattr(loader.batch_sampler, 'sampler', loader.sampler)
        seed = [runner.seed]
        broadcast_object_list(seed)  # one order on all ranks, also where each has a seed (diff_rank_seed)
        if getattr(sampler, 'seed', *seed) == seed[0]:
            return
        sampler.seed = seed[0]
        init = loader.worker_init_fn
        if isinstance(init, partial) and 'seed' in init.keywords:
            loader.worker_init_fn = partial(init.func, *init.args, **{**init.keywords, 'seed': runner.seed})
        if hasattr(loop, 'dataloader_iterator'):  # of a loop by iterations, begun under the other seed
            loop.dataloader_iterator = type(loop.dataloader_iterator)(loader)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Seeds torch's generators of all devices."""
        entropy = [runner.seed, get_rank(), runner.iter]
        torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook`` that leaves losses on the device until they are logged.

    MMEngine's own reads every loss of every step, and so waits for the device each time. Here they are
    read together, in order, when the logger is about to write them, at the end of an epoch and before a
    checkpoint; the log history is the same. The first loss that is not finite ends the run there, before
    anything is evaluated or saved.

    Raises:
        DivergedError: When losses are read and one is NaN or infinite; names step, terms, samples,
            learning rate and precision.

    Example:
        >>> from mmengine.hub import get_config
        >>> hooks = get_config('i2md_mmaction::cmd_demo.py').default_hooks
        >>> hooks.runtime_info.type, hooks.logger.interval  # the device is waited for every fifth step
        ('DeferredRuntimeInfoHook', 5)
    """

    def before_train(self, runner) -> None:
        """Takes the interval from the logger."""
        super().before_train(runner)
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._interval = min((hook.interval for hook in loggers), default=1)
        self._kept: List[Tuple[int, Dict[str, Any], List[str]]] = []

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Keeps the losses of the step, and which samples it saw."""
        samples = data_batch.get('data_samples', ()) if isinstance(data_batch, dict) else ()
        # Their names only: the labels of samples from workers hold file descriptors.
        names = [str(sample.get('frame_dir', '?')) for sample in samples]
        self._kept.append((runner.iter, dict(outputs or {}), names))
        if self.every_n_inner_iters(batch_idx, self._interval) or self.end_of_epoch(
            runner.train_dataloader, batch_idx
        ):
            self._read(runner)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Completes the log history that a checkpoint carries."""
        if getattr(self, '_kept', None):
            self._read(runner)
            checkpoint['message_hub'] = runner.message_hub.state_dict()

    def after_train(self, runner) -> None:
        """Reads the losses after the last line of the log."""
        self._read(runner)

    def _read(self, runner) -> None:
        """Reads what was kept, all of it in one transfer."""
        kept, self._kept = self._kept, []
        tensors = [value for _, step, _ in kept for value in step.values() if torch.is_tensor(value)]
        numbers = iter(
            torch.stack([tensor.detach().float() for tensor in tensors]).tolist() if tensors else ()
        )
        for iteration, step, samples in kept:
            read = {name: next(numbers) if torch.is_tensor(value) else value for name, value in step.items()}
            spoilt = {
                name: number
                for name, number in read.items()
                if 'loss' in name and isinstance(number, float) and not math.isfinite(number)
            }
            if spoilt:
                raise _diverged(runner, iteration, spoilt, samples)
            for name, number in read.items():
                runner.message_hub.update_scalar(f'train/{name}', number)


def _diverged(runner, iteration: int, spoilt: Dict[str, float], samples: List[str]) -> DivergedError:
    """The error on losses of a step that are not finite."""
    terms = ', '.join(f'{name} is {number}' for name, number in sorted(spoilt.items()))
    named = ', '.join(samples[:8]) + f' and {len(samples) - 8} more' * (len(samples) > 8)
    rates = sorted({rate for group in runner.optim_wrapper.get_lr().values() for rate in group})
    return DivergedError(
        f'iteration {iteration + 1}, epoch {runner.epoch + 1}: {terms}. Samples of this step: '
        f'{named or "unknown"}. Learning rate {", ".join(map(str, rates))}, precision of '
        f'{type(runner.optim_wrapper).__name__}. {DivergedError.remedy}'
    )


@HOOKS.register_module()
class PretrainStageHook(Hook):
    """Changes attributes of the model at given epochs, for two-stage methods and late starts.

    Args:
        stages: For each stage its first epoch ``begin`` (counted from 0; a float below 1 is a share of all
            epochs) and the attributes that it sets.

    Raises:
        ValueError: If no stage begins at epoch 0.
        AttributeError: Before training, if the model lacks an attribute that some stage sets.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::aimclr_ntu60.py').default_hooks.stages.stages
        [{'begin': 0, 'mining': False}, {'begin': 0.5, 'mining': True}]
    """

    def __init__(self, stages: List[Dict[str, Any]]) -> None:
        self.stages = [dict(stage) for stage in stages]
        if all(stage['begin'] != 0 for stage in self.stages):
            raise ValueError('the first stage must begin at epoch 0, so that a resumed run finds its stage')
        self.current: Optional[Dict[str, Any]] = None

    def before_train(self, runner) -> None:
        """Checks the attributes of all stages, the last of which may begin after hours."""
        model = unwrapped(runner.model)
        for stage in self.stages:
            for name in stage.keys() - {'begin'}:
                if not hasattr(model, name):
                    raise AttributeError(
                        f'{type(model).__name__} has no {name!r} that the stage from epoch '
                        f'{_first_epoch(stage, runner) + 1} could set; correct the stages of '
                        'PretrainStageHook'
                    )

    def before_train_epoch(self, runner) -> None:
        """Enters the stage of the epoch, and says so in the log."""
        begins = [_first_epoch(stage, runner) for stage in self.stages]
        begin = max(begin for begin in begins if begin <= runner.epoch)
        stage = self.stages[begins.index(begin)]
        if stage is self.current:
            return
        self.current = stage
        settings = {name: value for name, value in stage.items() if name != 'begin'}
        for name, value in settings.items():
            setattr(unwrapped(runner.model), name, value)
        runner.logger.info(f'epoch {runner.epoch + 1}: stage from epoch {begin + 1}, {settings}')


def _first_epoch(stage: Dict[str, Any], runner) -> int:
    """The first epoch of a stage, counted from 0."""
    begin = stage['begin']
    return round(begin * runner.max_epochs) if isinstance(begin, float) else begin
