"""Graph convolution over the joints of a skeleton."""

import torch
from mmaction.models import STGCN
from mmaction.models.utils import unit_gcn
from torch import Tensor
from torch.nn import functional as F

#: Channels from which a result may lie channels last. oneDNN's weight gradient of a strided 1x1
#: convolution (ST-GCN's residual) writes out of bounds below, seen on processors with AVX-512 but no AMX
#: (torch 2.13).
CHANNELS_LAST_FROM = 16


class GraphConvolution(unit_gcn):
    """mmaction2's graph convolution with learned edge importance, joints before channels.

    Its parameters are those of ``unit_gcn`` and its result is the same up to
    rounding, but adjacent joints are summed before the channels are mixed, not
    after: where a block widens its channels, less work and, between the two, a
    fraction of the memory. A result of 16 channels or more has them last in
    memory, the layout that torch recommends for the convolutions that follow; a
    narrower one is contiguous, since those convolutions are unsafe otherwise
    (:data:`CHANNELS_LAST_FROM`).
    """

    @classmethod
    def convert(cls, backbone: STGCN) -> None:
        """Puts this in place of the graph convolutions of an ST-GCN."""
        for block in backbone.gcn:
            block.gcn = cls(block.gcn.in_channels, block.gcn.out_channels, block.gcn.A)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, T, V) to (N, C', T, V)."""
        edges = self.A * self.PA
        adjacent = torch.einsum('nctv,svw->ntwsc', x, edges).flatten(3)
        weight = self.conv.weight.unflatten(0, (self.num_subsets, -1)).transpose(0, 1).flatten(1)
        bias = torch.einsum('sc,svw->wc', self.conv.bias.unflatten(0, (self.num_subsets, -1)), edges)
        mixed = F.linear(adjacent, weight) + bias
        mixed = mixed.permute(0, 3, 1, 2)  # (N, C', T, V), channels last
        if mixed.size(1) < CHANNELS_LAST_FROM:
            mixed = mixed.contiguous()
        return self.act(self.bn(mixed))
