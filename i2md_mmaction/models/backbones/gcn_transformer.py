"""ST-GCN layers over the joints, a Transformer over the frames."""

from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Iterator, Optional

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ...skeletons import get_layout
from .graph_convolution import GraphConvolution


class Attention(nn.MultiheadAttention):
    """Multi-head attention that keeps the batch first throughout.

    The weights are torch's; its forward pass goes by way of (T, B, E), which for
    a key encoder, without gradients, repeats the weights for every frame (a
    forward pass of the full-size I2MD took 4 times as long on a CPU in bfloat16).

    Args:
        embed_dims: E, width.
        num_heads: Attention heads.
    """

    def __init__(self, embed_dims: int, num_heads: int) -> None:
        super().__init__(embed_dims, num_heads, batch_first=True)

    def forward(
        self, tokens: Tensor, context: Optional[Tensor] = None, padding: Optional[Tensor] = None
    ) -> Tensor:
        """Attends from tokens (B, T, E) to themselves or to a context.

        Args:
            tokens: (B, T, E).
            context: (B, K, E), what to attend to.
            padding: (B, K), True where the context is to be ignored.
        """
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if context is None:
            query, key, value = F.linear(tokens, weight, bias).chunk(3, dim=-1)
        else:
            query = F.linear(tokens, weight[: self.embed_dim], bias[: self.embed_dim])
            key, value = F.linear(context, weight[self.embed_dim :], bias[self.embed_dim :]).chunk(2, dim=-1)
        attended = F.scaled_dot_product_attention(
            *(x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for x in (query, key, value)),
            attn_mask=None if padding is None else ~padding[:, None, None],
        )
        return self.out_proj(attended.transpose(1, 2).flatten(2))


class NeighborAttentionLayer(nn.Module):
    """Pre-norm Transformer layer with an optional look at neighbours.

    Self-attention over the frames, cross-attention to the neighbours where
    they are given, feed-forward; each residual.

    Args:
        embed_dims: Width.
        num_heads: Attention heads.
        feedforward_channels: Width of the feed-forward network.
        cross_attention: Whether it can look at neighbours at all.
    """

    def __init__(
        self, embed_dims: int, num_heads: int, feedforward_channels: int, cross_attention: bool = True
    ) -> None:
        super().__init__()
        self.norm_self = nn.LayerNorm(embed_dims)
        self.self_attention = Attention(embed_dims, num_heads)
        self.norm_cross = nn.LayerNorm(embed_dims) if cross_attention else None
        self.cross_attention = Attention(embed_dims, num_heads) if cross_attention else None
        self.norm_feedforward = nn.LayerNorm(embed_dims)
        self.feedforward = nn.Sequential(
            nn.Linear(embed_dims, feedforward_channels),
            nn.GELU(),
            nn.Linear(feedforward_channels, embed_dims),
        )

    def forward(
        self, tokens: Tensor, neighbors: Optional[Tensor] = None, padding: Optional[Tensor] = None
    ) -> Tensor:
        """Maps tokens (B, T, E) to the same shape; see :meth:`GCNTransformer.attend`."""
        tokens = tokens + self.self_attention(self.norm_self(tokens))
        if neighbors is not None:
            tokens = tokens + self.cross_attention(self.norm_cross(tokens), neighbors, padding)
        return tokens + self.feedforward(self.norm_feedforward(tokens))


def sinusoid_positions(num_frames: int, embed_dims: int, longest: float = 100.0) -> Tensor:
    """Sinusoids of a frame's number (num_frames, embed_dims), wavelengths 2 pi to 2 pi * longest frames."""
    rates = longest ** -(torch.arange(0, embed_dims, 2) / embed_dims)
    phase = torch.arange(num_frames)[:, None] * rates
    return torch.stack((phase.sin(), phase.cos()), dim=2).flatten(1)


@MODELS.register_module()
class GCNTransformer(BaseModule):
    """The encoder of I2MD (section 4.2): three ST-GCN layers, then a Transformer.

    The joints and persons of a frame are concatenated after the graph
    convolutions, projected to a token, and the tokens of all frames attend to
    one another; the feature is their mean. With ``neighbors`` every layer also
    attends to the hidden embeddings of nearest neighbours (the cluster branch,
    equation 7). All other weights are shared by the two uses, so that the graph
    convolutions (:meth:`tokenize`) need to run only once for both.

    What the paper leaves open, and is chosen here: pre-norm layers, GELU,
    learned temporal positions, a final LayerNorm, no dropout. The positions
    start as sinusoids, since from small random ones the order of the frames was
    learnt late (NW-UCLA, joint stream of the small config, MoCo, 20 epochs: 1-NN
    66.8 % against 69.0 %, and 73.3 % five epochs on).

    Args:
        layout: Name of the skeleton layout.
        num_persons: Persons M of the input.
        in_channels: Coordinates C.
        gcn_channels: Channels of the ST-GCN layers.
        gcn_layers: Number of ST-GCN layers.
        embed_dims: E, width of the tokens and of the feature.
        depth: Transformer layers.
        num_heads: Attention heads.
        feedforward_channels: Width of the feed-forward networks.
        num_frames: Longest input T, the number of temporal positions.
        cross_attention: Whether the layers can attend to neighbours. A method
            that gives none, such as CMD, builds them without, so that no
            parameter is left unused.
        with_cp: Whether to compute the layers once more in the backward pass
            instead of keeping their activations, for cards of little memory.
        init_cfg: As for ``BaseModule``.

    Raises:
        ValueError: On use, if the input has more than ``num_frames`` frames.

    Example:
        >>> backbone = GCNTransformer(embed_dims=32, depth=2, num_heads=4, feedforward_channels=64)
        >>> backbone(torch.rand(2, 2, 64, 25, 3), neighbors=torch.rand(2, 5, 32)).shape
        torch.Size([2, 32])
    """

    def __init__(
        self,
        layout: str = 'ntu25',
        num_persons: int = 2,
        in_channels: int = 3,
        gcn_channels: int = 64,
        gcn_layers: int = 3,
        embed_dims: int = 768,
        depth: int = 6,
        num_heads: int = 12,
        feedforward_channels: int = 3072,
        num_frames: int = 64,
        cross_attention: bool = True,
        with_cp: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        graph = get_layout(layout)
        self.with_cp = with_cp
        self.embed_dims = embed_dims
        self.gcn = MODELS.build(
            dict(
                type='STGCN',
                graph_cfg=dict(layout=graph.graph_layout(), mode='stgcn_spatial'),
                in_channels=in_channels,
                base_channels=gcn_channels,
                num_stages=gcn_layers,
                inflate_stages=[],
                down_stages=[],
            )
        )
        GraphConvolution.convert(self.gcn)
        self.to_token = nn.Linear(gcn_channels * graph.num_joints * num_persons, embed_dims)
        self.positions = nn.Parameter(sinusoid_positions(num_frames, embed_dims)[None])
        self.layers = nn.ModuleList(
            NeighborAttentionLayer(embed_dims, num_heads, feedforward_channels, cross_attention)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(embed_dims)

    def tokenize(self, keypoint: Tensor) -> Tensor:
        """Turns frames into tokens: (B, M, T, V, C) to (B, T, E).

        Raises:
            ValueError: If the input is longer than the temporal positions.
        """
        if keypoint.size(2) > self.positions.size(1):
            raise ValueError(
                f'GCNTransformer has {self.positions.size(1)} temporal positions but got '
                f'{keypoint.size(2)} frames; set its num_frames to that of the views'
            )
        graph = self._run(self.gcn, keypoint)  # (B, M, C', T, V)
        frames = graph.permute(0, 3, 4, 1, 2).flatten(2)  # (B, T, V * M * C')
        return self.to_token(frames) + self.positions[:, : frames.size(1)]

    def attend(
        self, tokens: Tensor, neighbors: Optional[Tensor] = None, padding: Optional[Tensor] = None
    ) -> Tensor:
        """Relates the frames to one another, and optionally to neighbours.

        Args:
            tokens: (B, T, E), from :meth:`tokenize`.
            neighbors: (B, K, E), hidden embeddings of neighbours; None for the
                instance branch.
            padding: (B, K), True where a neighbour is to be ignored.

        Returns:
            (B, T, E).
        """
        for layer in self.layers:
            tokens = self._run(layer, tokens, neighbors, padding)
        return self.norm(tokens)

    def tokens(self, keypoint: Tensor) -> Tensor:
        """Maps (B, M, T, V, C) to a token for each frame (B, T, E)."""
        return self.attend(self.tokenize(keypoint))

    def pool(self, tokens: Tensor) -> Tensor:
        """The mean of the tokens of all frames: (B, T, E) to (B, E)."""
        return tokens.mean(dim=1)

    def forward(
        self, keypoint: Tensor, neighbors: Optional[Tensor] = None, padding: Optional[Tensor] = None
    ) -> Tensor:
        """Maps (B, M, T, V, C) to the feature (B, E)."""
        return self.pool(self.attend(self.tokenize(keypoint), neighbors, padding))

    def ignore_neighbors(self) -> None:
        """Freezes what only neighbours use, for methods that pass none.

        Distributed training would wait for its gradients.
        """
        for layer in self.layers:
            for module in (layer.norm_cross, layer.cross_attention):
                if module is not None:
                    module.requires_grad_(False)

    def _run(self, module: nn.Module, *args: Optional[Tensor]) -> Tensor:
        """Calls a module, keeping its activations or not."""
        if not (self.with_cp and torch.is_grad_enabled()):
            return module(*args)
        contexts = partial(_recomputation, module)
        return checkpoint(module, *args, use_reentrant=False, context_fn=contexts)


def _recomputation(module: nn.Module) -> tuple:
    """Contexts of the first and of the second forward pass; the second moves no statistics."""
    return nullcontext(), _statistics_kept(module)


@contextmanager
def _statistics_kept(module: nn.Module) -> Iterator[None]:
    norms = [child for child in module.modules() if isinstance(child, nn.modules.batchnorm._NormBase)]
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, batches) in zip(norms, kept):
            norm.momentum, norm.num_batches_tracked = momentum, batches
