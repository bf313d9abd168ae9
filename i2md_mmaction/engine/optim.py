"""Mixed precision that needs neither a GPU nor a loss scale."""

from typing import Union

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.optim import AmpOptimWrapper, OptimWrapper


@OPTIM_WRAPPERS.register_module(name='AmpOptimWrapper')
class BFloat16OptimWrapper(AmpOptimWrapper):
    """MMEngine's mixed precision in bfloat16, on CPU too.

    Takes the name ``AmpOptimWrapper`` within mmaction2's scope, so that
    ``--amp`` of its train tool reaches it. MMEngine's own insists on a GPU, and
    defaults to float16 with a loss scale whose check waits for the device at
    every step; bfloat16 has float32's range and needs none.

    Args:
        dtype: Type of autocast. ``'float16'`` brings the loss scale back and
            needs a GPU.
        loss_scale: As for MMEngine's; used with float16 only.
        **kwargs: As for ``OptimWrapper``.
    """

    def __init__(self, dtype: str = 'bfloat16', loss_scale: Union[str, float, dict] = 'dynamic', **kwargs):
        if dtype != 'bfloat16':
            super().__init__(loss_scale=loss_scale, dtype=dtype, **kwargs)
            return
        OptimWrapper.__init__(self, **kwargs)
        self.cast_dtype = torch.bfloat16
        # A disabled scaler passes everything through.
        scaler = getattr(torch.amp, 'GradScaler', torch.cuda.amp.GradScaler)
        self.loss_scaler = scaler(enabled=False)
        self._scale_update_param = None
