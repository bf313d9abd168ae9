"""Checkpoints that are read without running code."""

from typing import Any

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer


@HOOKS.register_module()
class PortableCheckpointHook(Hook):
    """Writes checkpoints that ``torch.load(weights_only=True)`` takes.

    MMEngine 0.10.7 puts its log history into a checkpoint as objects of its own that torch >= 2.6 refuses
    to load. Here they are written as tensors and made whole again on loading. The plain settings of the
    model, such as its layout, are added, so that they can be read without running the config.

    Example:
        >>> from types import SimpleNamespace
        >>> runner = SimpleNamespace(cfg=dict(model=dict(type='CMD', layout='ntu25', streams=['joint'])))
        >>> checkpoint = dict(meta={}, log=HistoryBuffer([2.5], [1]))
        >>> PortableCheckpointHook().before_save_checkpoint(runner, checkpoint)
        >>> checkpoint['meta']['model'], checkpoint['log']['HistoryBuffer'][0]
        ({'type': 'CMD', 'layout': 'ntu25'}, tensor([2.5000], dtype=torch.float64))
    """

    priority = 'LOWEST'
    _marker = 'HistoryBuffer'

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Replaces objects by tensors and plain values."""
        settings = runner.cfg.get('model', {}).items()
        checkpoint['meta']['model'] = {
            name: value for name, value in settings if isinstance(value, (str, int, float))
        }
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
