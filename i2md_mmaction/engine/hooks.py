"""Hooks: a class a job, no arithmetic of a loss."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dist import get_rank, master_only
from mmengine.hooks import Hook, LoggerHook, RuntimeInfoHook
from mmengine.logging import HistoryBuffer
from mmengine.model import is_model_wrapper


def unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """The model inside a distributed wrapper."""
    return model.module if is_model_wrapper(model) else model


@HOOKS.register_module()
class MoCoMemoryHook(Hook):
    """Updates key encoders and bank once for each step of the optimiser.

    Right after the step, which is the same as CMD's order (momentum update
    before the keys of the next step); under gradient accumulation only after
    the iteration that stepped, with the keys of all of them.
    """

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Calls ``update_memory`` of the model if the optimiser stepped."""
        if runner.optim_wrapper.should_update():
            unwrapped(runner.model).update_memory()


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Seeds all draws of a step by (seed, rank, iteration).

    A resumed run then draws exactly what the unbroken one would have drawn,
    whatever was evaluated in between, and no generator needs to be saved.
    """

    priority = 'VERY_HIGH'

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Seeds torch's generators of all devices."""
        entropy = [runner.seed, get_rank(), runner.iter]
        torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook`` that leaves losses on the device until they are logged.

    MMEngine's own reads every loss of every step, and so waits for the device
    each time. Here they are read together, in order, when the logger is about
    to write them, at the end of an epoch and before a checkpoint; the log
    history is the same.
    """

    def before_train(self, runner) -> None:
        """Takes the interval from the logger."""
        super().before_train(runner)
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._interval = min((hook.interval for hook in loggers), default=1)
        self._kept: List[Dict[str, Any]] = []

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Keeps the losses of the step."""
        self._kept.append(dict(outputs or {}))
        if self.every_n_inner_iters(batch_idx, self._interval) or self.end_of_epoch(
            runner.train_dataloader, batch_idx
        ):
            self._read(runner)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Completes the log history that a checkpoint carries."""
        if getattr(self, '_kept', None):
            self._read(runner)
            checkpoint['message_hub'] = runner.message_hub.state_dict()

    def _read(self, runner) -> None:
        """Reads what was kept, all of it in one transfer."""
        tensors = [value for step in self._kept for value in step.values() if torch.is_tensor(value)]
        numbers = iter(
            torch.stack([tensor.detach().float() for tensor in tensors]).tolist() if tensors else ()
        )
        for step in self._kept:
            for name, value in step.items():
                number = next(numbers) if torch.is_tensor(value) else value
                runner.message_hub.update_scalar(f'train/{name}', number)
        self._kept.clear()


@HOOKS.register_module()
class PretrainStageHook(Hook):
    """Changes attributes of the model at given epochs.

    Two-stage methods and late starts are configuration:
    ``stages=[dict(begin=0, imd_weight=0.0), dict(begin=50, imd_weight=1.0)]``.

    Args:
        stages: For each stage its first epoch ``begin`` (counted from 0) and
            the attributes that it sets.

    Raises:
        ValueError: If no stage begins at epoch 0.
    """

    def __init__(self, stages: List[Dict[str, Any]]) -> None:
        self.stages = sorted((dict(stage) for stage in stages), key=lambda stage: stage['begin'])
        if not self.stages or self.stages[0]['begin'] != 0:
            raise ValueError('the first stage must begin at epoch 0, so that a resumed run finds its stage')
        self.current: Optional[Dict[str, Any]] = None

    def before_train_epoch(self, runner) -> None:
        """Enters the stage of the epoch, and says so in the log.

        Raises:
            AttributeError: If the model has no such attribute.
        """
        stage = [stage for stage in self.stages if stage['begin'] <= runner.epoch][-1]
        if stage is self.current:
            return
        self.current = stage
        model = unwrapped(runner.model)
        settings = {name: value for name, value in stage.items() if name != 'begin'}
        for name, value in settings.items():
            if not hasattr(model, name):
                raise AttributeError(f'{type(model).__name__} has no {name!r} that a stage could set')
            setattr(model, name, value)
        runner.logger.info(f'epoch {runner.epoch + 1}: stage from epoch {stage["begin"] + 1}, {settings}')


@HOOKS.register_module()
class PortableCheckpointHook(Hook):
    """Writes checkpoints that ``torch.load(weights_only=True)`` takes.

    MMEngine 0.10.7 puts its log history into a checkpoint as objects of its own
    that torch >= 2.6 refuses to load. Here they are written as tensors and made
    whole again on loading.
    """

    priority = 'LOWEST'
    _marker = 'HistoryBuffer'

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Replaces objects by tensors and plain values."""
        for key in checkpoint:
            if key != 'state_dict':
                checkpoint[key] = self._to_plain(checkpoint[key])

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Makes the log history whole again."""
        scalars = checkpoint.get('message_hub', {}).get('log_scalars', {})
        for name, value in scalars.items():
            if isinstance(value, dict) and self._marker in value:
                log, count = (history.cpu().numpy() for history in value[self._marker])
                scalars[name] = HistoryBuffer(log, count, max_length=value['max_length'])

    def _to_plain(self, value: Any) -> Any:
        """Rebuilds nested containers of tensors and plain values."""
        if isinstance(value, HistoryBuffer):
            history = [torch.from_numpy(np.array(part)) for part in value.data]
            return {self._marker: history, 'max_length': value.max_length}
        if isinstance(value, dict):
            return {key: self._to_plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self._to_plain, value)) if type(value) in (list, tuple) else list(value)
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            return torch.from_numpy(value)
        return value


@HOOKS.register_module()
class SubsetRecordHook(Hook):
    """Saves which labelled samples a semi-supervised run was given.

    Writes ``subset.json`` into the work dir if the training dataset has a
    ``subset_record``.
    """

    @master_only
    def before_train(self, runner) -> None:
        """Writes the file."""
        record = getattr(runner.train_dataloader.dataset, 'subset_record', None)
        if record is not None:
            Path(runner.work_dir, 'subset.json').write_text(json.dumps(record, indent=1))
