"""Mixed precision that needs neither a GPU nor a loss scale."""

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.optim import AmpOptimWrapper, OptimWrapper


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(AmpOptimWrapper):
    """MMEngine's ``AmpOptimWrapper`` in bfloat16, on CPU too.

    MMEngine's own insists on a GPU, also for bfloat16, and scales the losses,
    for which its check waits for the device at every step; bfloat16 has the
    range of float32 and needs no scale.

    Args:
        **kwargs: As for ``OptimWrapper``.

    Example:
        >>> linear = torch.nn.Linear(4, 2)
        >>> wrapper = BFloat16OptimWrapper(optimizer=torch.optim.SGD(linear.parameters(), lr=0.1))
        >>> with wrapper.optim_context(linear):
        ...     print(linear(torch.rand(3, 4)).dtype)
        torch.bfloat16
    """

    def __init__(self, **kwargs) -> None:
        OptimWrapper.__init__(self, **kwargs)
        self.cast_dtype = torch.bfloat16
        # A disabled scaler passes everything through.
        self.loss_scaler = torch.amp.GradScaler(enabled=False)
        self._scale_update_param = None
