"""Backbones: (B, M, T, V, C) to a hidden embedding (B, embed_dims)."""

from .bigru import BiGRU
from .gcn_transformer import GCNTransformer
from .slim_stgcn import SlimSTGCN

__all__ = ['BiGRU', 'GCNTransformer', 'SlimSTGCN']
