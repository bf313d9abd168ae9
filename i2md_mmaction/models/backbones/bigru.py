"""The recurrent encoder of CMD."""

from typing import Optional

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...skeletons import get_layout


class PairedGRULayer(nn.Module):
    """Two GRUs that both run forward through time, their outputs concatenated.

    This is what a bidirectional GRU layer amounts to when it is called one
    frame at a time, as the encoder of the public CMD checkpoints was.

    Args:
        in_channels: Input dimensions.
        hidden_channels: Dimensions of each GRU.
    """

    def __init__(self, in_channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.forward_gru = nn.GRU(in_channels, hidden_channels)
        self.reverse_gru = nn.GRU(in_channels, hidden_channels)

    def forward(self, frames: Tensor) -> Tensor:
        """Maps (T, B, in_channels) to (T, B, 2 * hidden_channels)."""
        return torch.cat((self.forward_gru(frames)[0], self.reverse_gru(frames)[0]), dim=2)


@MODELS.register_module()
class BiGRU(BaseModule):
    """The encoder of CMD (section 4.2): BatchNorm over a frame's inputs, a 3-layer BiGRU.

    The feature is the last frame's output. Released CMD calls its
    bidirectional GRU frame by frame and carries the states over, so both
    directions step forward through time and each layer equals two forward GRUs
    whose outputs are concatenated. That is the default here, run over whole
    sequences, and public checkpoints load into it.

    Args:
        layout: Name of the skeleton layout.
        num_persons: Persons M of the input.
        in_channels: Coordinates C.
        hidden_channels: Dimensions of each direction; 1024 in CMD.
        num_layers: GRU layers; 3 in CMD.
        reverse_time: Whether the second direction runs backward through time,
            as in torch's bidirectional GRU, instead of as described.
        init_cfg: As for ``BaseModule``.

    Example:
        >>> BiGRU(hidden_channels=16)(torch.rand(2, 2, 64, 25, 3)).shape
        torch.Size([2, 32])
    """

    def __init__(
        self,
        layout: str = 'ntu25',
        num_persons: int = 2,
        in_channels: int = 3,
        hidden_channels: int = 1024,
        num_layers: int = 3,
        reverse_time: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.embed_dims = 2 * hidden_channels
        inputs = in_channels * get_layout(layout).num_joints * num_persons
        self.input_norm = nn.BatchNorm1d(inputs)
        if reverse_time:
            self.gru = nn.GRU(inputs, hidden_channels, num_layers, bidirectional=True)
        else:
            widths = [inputs] + [self.embed_dims] * (num_layers - 1)
            self.gru = nn.Sequential(*(PairedGRULayer(width, hidden_channels) for width in widths))

    def init_weights(self) -> None:
        """Xavier-uniform on all matrices, as CMD initialises."""
        super().init_weights()
        for parameter in self.gru.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def tokens(self, keypoint: Tensor) -> Tensor:
        """Maps (B, M, T, V, C) to the outputs at each frame (B, T, 2 * hidden_channels)."""
        # CMD's order within a frame: joint outermost, person innermost.
        frames = keypoint.permute(0, 3, 4, 1, 2).flatten(1, 3)  # (B, V * C * M, T)
        # Time first and contiguous: without gradients torch's GRU would else repeat its input
        # weights for every frame.
        outputs = self.gru(self.input_norm(frames).permute(2, 0, 1).contiguous())
        outputs = outputs[0] if isinstance(self.gru, nn.GRU) else outputs  # the states beside it
        return outputs.transpose(0, 1)

    def pool(self, tokens: Tensor) -> Tensor:
        """The last frame's output: (B, T, H) to (B, H)."""
        return tokens[:, -1]

    def forward(self, keypoint: Tensor) -> Tensor:
        """Maps (B, M, T, V, C) to the feature (B, 2 * hidden_channels)."""
        return self.pool(self.tokens(keypoint))
