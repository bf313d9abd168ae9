"""Inter- and intra-modal mutual distillation."""

from copy import deepcopy
from typing import Collection, Dict, Optional, Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor

from ..losses.distillation import Anchors
from ..similarity import Comparison
from ..stream import Embedding, Encoder, Stream
from .cmd import CMD


@MODELS.register_module()
class I2MD(CMD):
    """CMD between streams, and within each stream an instance and a cluster branch.

    The cluster branch (dynamic neighbours aggregation) shares all weights with
    the instance branch and adds cross-attention to the hidden embeddings of
    the nearest bank rows; it has bank keys of its own. The two branches
    contrast each for itself and distil into one another. Source: I2MD,
    equations 1 to 10.

    What the paper leaves open: the bank keeps the key encoder's instance-branch
    h beside its z; neighbours are sought by z_q for the query and z_k for the
    key, both among instance keys; CMD joins the instance branches. A sample
    that finds no filled row attends to its own h.

    Args:
        num_neighbors: K_d, neighbours of the cluster branch; 64.
        imd_weight: Weight of the intra-modal distillation; 1.
        cmd_weight: lambda_1, weight of the cross-modal distillation; 0.5.
        share_projector: Whether the branches share the projector too, as the
            paper's weight sharing is read here, or have one each.
        **kwargs: As for :class:`CMD`. The backbone must take neighbours, as
            :class:`GCNTransformer` does.

    Raises:
        ValueError: If K or K_d exceeds the bank.
        TypeError: If the backbone cannot attend to neighbours.
    """

    entries = ('key', 'cluster_key', 'hidden')

    def __init__(
        self,
        num_neighbors: int = 64,
        imd_weight: float = 1.0,
        cmd_weight: float = 0.5,
        share_projector: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(cmd_weight=cmd_weight, **kwargs)
        self.num_neighbors = num_neighbors
        self.imd_weight = imd_weight
        if num_neighbors > self.bank.size:
            raise ValueError(
                f'num_neighbors={num_neighbors} exceeds the bank of {self.bank.size} rows; '
                'lower it or enlarge the bank'
            )
        backbone = next(iter(self.streams.values())).query.backbone
        if not hasattr(backbone, 'encode'):
            raise TypeError(
                f'{type(backbone).__name__} cannot attend to neighbours; I2MD needs a backbone with '
                'embed() and encode(tokens, neighbors, padding), such as GCNTransformer'
            )
        if not share_projector:
            for stream in self.streams.values():
                stream.query.cluster_projector = deepcopy(stream.query.projector)
                stream.key.cluster_projector = deepcopy(stream.key.projector)

    def instance_branch(self, encoder: Encoder, x: Tensor) -> Tuple[Tensor, Embedding]:
        """Frame tokens (B, T, E), to be used by both branches, and the instance embedding."""
        tokens = encoder.backbone.embed(x)
        hidden = encoder.backbone.encode(tokens)
        return tokens, Embedding(hidden, encoder.projector(hidden))

    def cluster_branch(
        self, encoder: Encoder, tokens: Tensor, hidden: Tensor, similarity: Tensor, entry: Tensor
    ) -> Tensor:
        """Embeds the tokens in the light of their nearest bank rows (equation 7).

        Args:
            encoder: Query or key encoder.
            tokens: (B, T, E).
            hidden: (B, H), the samples' own embedding, attended to while the
                bank is empty.
            similarity: (B, N), by which neighbours are chosen.
            entry: (N, H), hidden embeddings of the bank.

        Returns:
            z* (B, D).
        """
        index, found = self.bank.nearest(similarity.detach(), self.num_neighbors)
        neighbors = torch.where(found[..., None], entry[index], hidden.detach()[:, None].to(entry.dtype))
        alone = ~found.any(dim=1, keepdim=True)
        padding = torch.cat((~(found[:, :1] | alone), ~found[:, 1:]), dim=1)
        projector = getattr(encoder, 'cluster_projector', encoder.projector)
        return projector(encoder.backbone.encode(tokens, neighbors, padding))

    def compare_branches(
        self, name: str, stream: Stream, query_view: Tensor, key_view: Tensor
    ) -> Tuple[Comparison, Comparison, Dict[str, Tensor]]:
        """Compares both branches of a stream with their bank entries.

        Returns:
            Comparison of the instance and of the cluster branch, and what the
            bank is to remember.
        """
        bank = {entry: self.bank[f'{name}_{entry}'] for entry in self.entries}
        query_tokens, query = self.instance_branch(stream.query, stream.modality(query_view))
        with torch.no_grad():
            key_tokens, key = self.instance_branch(stream.key, stream.modality(key_view))
        instance = Comparison(query.unit, key.unit, bank['key'])

        query_cluster = self.cluster_branch(
            stream.query, query_tokens, query.hidden, instance.query, bank['hidden']
        )
        with torch.no_grad():
            key_cluster = self.cluster_branch(
                stream.key, key_tokens, key.hidden, instance.key, bank['hidden']
            )
        cluster = Comparison(query_cluster, key_cluster, bank['cluster_key'])
        remembered = dict(key=key.unit, cluster_key=key_cluster, hidden=key.hidden)
        return instance, cluster, {f'{name}_{entry}': value for entry, value in remembered.items()}

    def teachers(self) -> Collection[str]:
        """All streams where their branches teach each other."""
        return self.streams.keys() if self.imd_weight else super().teachers()

    def imd_losses(
        self, anchors: Tuple[Dict[str, Anchors], ...], compared: Tuple[Dict[str, Comparison], ...]
    ) -> Dict[str, Tensor]:
        """Distillation between the branches of each stream, both ways (equation 8)."""
        losses = {}
        branches = ('instance', 'cluster')
        for teacher, student in ((0, 1), (1, 0)) if self.imd_weight else ():
            for name in self.streams:
                loss = self.distillation.against(anchors[teacher][name], compared[student][name].query)
                term = f'loss_imd_{name}_{branches[teacher]}_to_{branches[student]}'
                losses[term] = self.imd_weight * loss
        return losses

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """All terms of equation 10, by name."""
        instance, cluster, remembered = {}, {}, {}
        for name, stream in self.streams.items():
            instance[name], cluster[name], entries = self.compare_branches(name, stream, *inputs)
            remembered.update(entries)
        self.remember(**remembered)
        anchors = self.teach(instance)
        cluster_anchors = self.teach(cluster) if self.imd_weight else {}
        return {
            **self.contrast_losses(instance),
            **self.contrast_losses(cluster, 'cluster_nce'),
            **self.imd_losses((anchors, cluster_anchors), (instance, cluster)),
            **self.cmd_losses(anchors, instance),
        }
