"""torch's SyncBatchNorm trains on accelerators only; this stands for it on a CPU."""

from contextlib import contextmanager

import torch
from torch import distributed, nn
from torch.nn import functional as F


class _Sum(torch.autograd.Function):
    """The sum over all processes, of the gradients too."""

    @staticmethod
    def forward(ctx, x):
        return _Sum.over_processes(x)

    @staticmethod
    def backward(ctx, gradient):
        return _Sum.over_processes(gradient)

    @staticmethod
    def over_processes(x):
        total = x.clone()
        distributed.all_reduce(total)
        return total


class HostSyncBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Mean and variance over the samples of all processes, on the host."""

    def forward(self, x):
        if not self.training or distributed.get_world_size() == 1:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum
            )
        axes = [axis for axis in range(x.dim()) if axis != 1]
        per_channel = [1, -1] + [1] * (x.dim() - 2)
        count = _Sum.over_processes(torch.tensor(x.numel() / x.size(1), dtype=x.dtype))
        mean = _Sum.apply(x.sum(axes)) / count
        centred = x - mean.view(per_channel)
        variance = _Sum.apply(centred.square().sum(axes)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        out = centred / (variance + self.eps).sqrt().view(per_channel)
        return out * self.weight.view(per_channel) + self.bias.view(per_channel)


@contextmanager
def stand_in(wanted=True):
    """Lets whoever converts a model to torch's SyncBatchNorm convert it to this one, if that is wanted."""
    own = nn.modules.batchnorm.SyncBatchNorm
    nn.modules.batchnorm.SyncBatchNorm = HostSyncBatchNorm if wanted else own
    try:
        yield
    finally:
        nn.modules.batchnorm.SyncBatchNorm = own
