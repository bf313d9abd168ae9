"""Checkpoints of a run: written whole, and gone on from only if they fit."""

import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import torch
from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop
from torch import nn

from ..evaluation.metrics import metric_names
from ..io import write_file
from ..models.checkpoints import (
    CheckpointMismatch,
    check_settings,
    check_weights,
    convert_names,
    origin,
    read_checkpoint,
)
from ..models.stored_config import model_settings
from .hooks import DivergedError, unwrapped

_ATOMIC = 'i2md_atomic'


@register_backend(_ATOMIC)
class AtomicBackend(LocalBackend):
    """MMEngine's local files, written whole or not at all."""

    def put(self, obj: bytes, filepath) -> None:
        """Writes bytes; see :func:`~i2md_mmaction.io.atomic_write`."""
        write_file(filepath, obj)


class _LaterRemoval:
    """A file backend that only notes what it is told to remove."""

    def __init__(self, backend) -> None:
        self._backend = backend
        self.outdated: List[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self.outdated.append(path)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook`` that loses nothing and lets nothing in that does not fit.

    - A checkpoint and ``last_checkpoint`` are renamed into place once they are whole, and only then are
      older ones removed. A run killed at any moment can be resumed, and keeps its best checkpoint.
    - ``--resume`` takes the checkpoint named by ``last_checkpoint``, or the last whole one if that is broken.
    - Weights that are loaded for a test, by ``load_from`` or on resuming must fit the model exactly.
    - An epoch ends with a step of the optimiser, even if gradients are accumulated over a number of batches
      that does not divide it. So a checkpoint has no pending gradients to lose.
    - ``save_best`` must name a metric of the validation, as far as its metrics are known beforehand.

    Args:
        **kwargs: As for ``CheckpointHook``.

    Raises:
        CheckpointMismatch: On loading, if the weights do not fit, or if no checkpoint can be read.
        DivergedError: On saving, if a weight is not finite; the checkpoint is not written.
        ValueError: Before training, on an unknown ``save_best`` or a checkpoint between two optimiser steps.

    Example:
        >>> from types import SimpleNamespace
        >>> spoilt, runner = dict(bias=torch.tensor([torch.nan])), SimpleNamespace(iter=9)
        >>> hook = AtomicCheckpointHook()
        >>> hook.before_save_checkpoint(runner, dict(state_dict=spoilt))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        i2md_mmaction.engine.hooks.DivergedError: 1 weight is NaN or infinite at iteration 10: bias; ...
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        local = '://' not in str(self.out_dir)
        if self.backend_args is None and self.file_client_args is None and local:
            self.backend_args = dict(backend=_ATOMIC)

    def before_run(self, runner) -> None:
        """Finds the checkpoint from which a run goes on."""
        if runner._has_loaded:
            return
        if runner._resume and runner._load_from is None:
            runner._load_from = self.newest_whole(runner)
            if runner._load_from is None:
                runner.logger.info(f'{runner.work_dir} has no checkpoint to go on from: the run begins')
                runner._resume = False
        elif runner._load_from is not None and Path(runner._load_from).is_file():
            read_checkpoint(runner._load_from)  # so that one that is broken is named

    def newest_whole(self, runner) -> Optional[str]:
        """The newest checkpoint of a run that can be read; None if it has none.

        Raises:
            CheckpointMismatch: If it has some, and none can be read.
        """
        broken = []
        for path in self._candidates(Path(runner.work_dir)):
            try:
                read_checkpoint(path)
            except (CheckpointMismatch, FileNotFoundError) as error:
                broken.append(str(error))
                continue
            if broken:
                runner.logger.warning('\n'.join([*broken, f'The run goes on from {path} instead.']))
            return str(path)
        if broken:
            broken.append(f'No checkpoint of {runner.work_dir} can be read; start without --resume')
            raise CheckpointMismatch('\n'.join(broken))
        return None

    def _candidates(self, work_dir: Path) -> List[Path]:
        """The checkpoint that ``last_checkpoint`` names and all before it, the newest first."""
        folder = work_dir if self.out_dir is None else Path(self.out_dir, work_dir.name)
        pattern = re.compile(re.escape(self.filename_tmpl).replace(re.escape('{}'), r'(\d+)'))
        steps: Dict[Path, int] = {}
        for path in folder.iterdir() if folder.is_dir() else ():
            match = pattern.fullmatch(path.name)
            if match:
                steps[path] = int(match[1])
        found = sorted(steps, key=steps.get, reverse=True)
        mark = work_dir / 'last_checkpoint'
        named = Path(mark.read_text().strip()) if mark.is_file() else Path()
        if not named.is_file() and (folder / named.name).is_file():
            named = folder / named.name  # the folder was moved
        if named.is_file():
            later = steps.get(named, float('inf'))
            return [named, *(path for path in found if path != named and steps[path] <= later)]
        return ([named] if named.name else []) + found

    def before_train(self, runner) -> None:
        """Checks what would else be found out after hours."""
        super().before_train(runner)
        accumulated = _accumulated(runner)
        if not self.by_epoch and self.interval > 0 and self.interval % accumulated:
            raise ValueError(
                f'checkpoints every {self.interval} iterations fall between two steps of the optimiser, '
                f'whose gradients are accumulated over {accumulated}; make the interval a multiple of that'
            )
        if self.save_best and runner.val_loop is not None and 'auto' not in self.key_indicators:
            known = metric_names(runner.val_loop.evaluator, unwrapped(runner.model))
            unknown = sorted(set(self.key_indicators) - known) if known is not None else []
            if unknown:
                raise ValueError(
                    f'save_best names {unknown}, which the validation does not measure; it measures '
                    f'{sorted(known)}. Set default_hooks.checkpoint.save_best to one of them'
                )

    def before_train_epoch(self, runner) -> None:
        """Lets an accumulation of gradients end with the epoch."""
        batches, accumulated = len(runner.train_dataloader), _accumulated(runner)
        if isinstance(runner.train_loop, EpochBasedTrainLoop) and batches % accumulated:
            # The wrapper looks for BatchNorm in the model, to warn of it; it has, before the first epoch.
            runner.optim_wrapper.initialize_count_status(nn.Identity(), 0, batches)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Refuses weights that do not fit the model."""
        model, name = unwrapped(runner.model), str(runner._load_from or 'the checkpoint')
        weights = convert_names(checkpoint.get('state_dict', checkpoint))
        weights = {re.sub(r'^module\.', '', key): value for key, value in weights.items()}
        check_weights(model, weights, name, origin(checkpoint))
        differing = check_settings(model_settings(checkpoint), runner.cfg.get('model', {}))
        if differing:
            raise CheckpointMismatch('\n'.join([f'{name} does not fit the config:', *differing]))

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Refuses weights that are not finite."""
        spoilt = [
            name
            for name, value in checkpoint['state_dict'].items()
            if value.is_floating_point() and not torch.isfinite(value).all()
        ]
        if spoilt:
            counted = f'{len(spoilt)} weights are' if len(spoilt) > 1 else '1 weight is'
            named = ', '.join(spoilt[:3]) + f' and {len(spoilt) - 3} more' * (len(spoilt) > 3)
            raise DivergedError(
                f'{counted} NaN or infinite at iteration {runner.iter + 1}: {named}; no checkpoint is '
                f'written. {DivergedError.remedy}'
            )

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        """Writes a checkpoint, then names it as the last one, then removes what is outdated."""
        outdated = []
        if self.max_keep_ckpts > 0 and step not in list(self.keep_ckpt_ids)[-1:]:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated.append(self.filename_tmpl.format(self.keep_ckpt_ids[0]))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        name = self.filename_tmpl.format(step)
        before = self.last_ckpt or (runner._load_from if runner._resume else None)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=meta,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
            if is_main_process():
                write_file(Path(runner.work_dir, 'last_checkpoint'), self.last_ckpt)
        except OSError as error:
            left = f'{before} is whole: mend this and go on with --resume' if before else 'None is whole yet'
            raise OSError(error.errno, f'{error.strerror}. {left}', error.filename) from error
        if is_main_process():
            self._remove([self.file_backend.join_path(self.out_dir, old) for old in outdated if old != name])

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        """As MMEngine's, but the former best goes when the new one is whole."""
        if not self.save_best:
            return
        self.file_backend = _LaterRemoval(self.file_backend)
        try:
            super()._save_best_checkpoint(runner, metrics)
            outdated = self.file_backend.outdated
        finally:
            self.file_backend = self.file_backend._backend
        single = len(self.key_indicators) == 1
        current = [self.best_ckpt_path] if single else self.best_ckpt_path_dict.values()
        self._remove([path for path in outdated if path not in current])

    def _remove(self, paths: Sequence[str]) -> None:
        for path in paths:
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)


def _accumulated(runner) -> int:
    """Batches over which gradients are accumulated."""
    return getattr(runner.optim_wrapper, '_accumulative_counts', 1)
