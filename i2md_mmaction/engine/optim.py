"""Mixed precision that needs neither a GPU nor a loss scale; optimisers of what trains."""

from typing import Union

import torch
from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS
from mmengine.optim import AmpOptimWrapper, DefaultOptimWrapperConstructor, OptimWrapper
from torch import nn


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
        self.loss_scaler = torch.amp.GradScaler(enabled=False)
        self._scale_update_param = None


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TrainableOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """MMEngine's default, without the parameters that require no gradient.

    MMEngine hands frozen parameters to the optimiser too.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Builds the wrapped optimiser of a model's trainable parameters."""
        wrapper = super().__call__(model)
        groups = wrapper.optimizer.param_groups
        for group in groups:
            group['params'] = [parameter for parameter in group['params'] if parameter.requires_grad]
        groups[:] = [group for group in groups if group['params']]
        return wrapper
