"""The graph encoder of AimCLR, SkeletonCLR and CrosSCLR."""

import torch
from mmaction.models import STGCN
from mmaction.models.backbones.stgcn import STGCNBlock
from mmaction.registry import MODELS
from torch import Tensor

from ...skeletons import get_layout
from ..dropout import UniformDropout
from .graph_convolution import GraphConvolution


@MODELS.register_module()
class SlimSTGCN(STGCN):
    """ST-GCN at a quarter of its width, with a tenth block that widens to the feature.

    Nine of mmaction2's ST-GCN blocks (spatial partition, learned edge
    importance, temporal kernel 9) with 16, 32 and 64 channels, stride 2 at the
    fifth and eighth, and a tenth to 256 channels. Source: AimCLR, section 4.2;
    CrosSCLR, section 4.2.

    mmaction2's block computes what the released one does (graph convolution,
    BatchNorm, ReLU, temporal convolution, BatchNorm, dropout, residual, ReLU;
    no dropout in the first). mmaction2's ``STGCN`` can only multiply its
    channels, so the tenth block is added here, and the feature is left as a map
    for :class:`EnergyDrop`; a stream takes its mean over frames, joints and
    persons, an absent person included, as released.

    Args:
        layout: Name of the skeleton layout.
        in_channels: Coordinates C.
        base_channels: Channels of the first blocks; 16.
        embed_dims: Channels of the last block; 256.
        dropout: In the temporal convolutions of all blocks but the first; 0.5.

    Example:
        >>> SlimSTGCN()(torch.rand(2, 2, 50, 25, 3)).shape  # (B, M, C, T, V)
        torch.Size([2, 2, 256, 13, 25])
    """

    def __init__(
        self,
        layout: str = 'ntu25',
        in_channels: int = 3,
        base_channels: int = 16,
        embed_dims: int = 256,
        dropout: float = 0.5,
    ) -> None:
        graph_cfg = dict(layout=get_layout(layout).graph_layout(), mode='stgcn_spatial')
        super().__init__(
            graph_cfg=graph_cfg,
            in_channels=in_channels,
            base_channels=base_channels,
            num_stages=9,
            tcn_dropout=dropout,
        )
        adjacency = torch.tensor(self.graph.A, dtype=torch.float32)
        self.gcn.append(STGCNBlock(4 * base_channels, embed_dims, adjacency, tcn_dropout=dropout))
        self.num_stages += 1
        GraphConvolution.convert(self)
        for block in self.gcn:
            block.tcn.drop = UniformDropout(block.tcn.drop.p)
        self.embed_dims = embed_dims

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, M, T, V, C) to a feature map (B, M, embed_dims, T / 4, V)."""
        return super().forward(x)
