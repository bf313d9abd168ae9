"""Inter- and intra-modal mutual distillation."""

from typing import Collection, Dict, Optional, Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor

from ..losses.distillation import Anchors
from ..settings import check_topk, check_weights
from ..similarity import Similarity
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
        share_projector: As for :class:`NeighborEncoder`.
        **kwargs: As for :class:`CMD`. The backbone must take neighbours, as
            :class:`GCNTransformer` does.

    Raises:
        ValueError: If K or K_d exceeds the bank.
        TypeError: If the backbone cannot attend to neighbours.

    Example:
        >>> model = I2MD(
        ...     backbone=dict(type='GCNTransformer', embed_dims=16, depth=1, num_heads=2),
        ...     streams=('joint', 'bone'), bank=dict(type='MemoryBank', size=8), num_neighbors=2,
        ...     distillation=dict(type='MutualDistillationLoss', topk=4))
        >>> [name for name in model.loss(torch.rand(2, 4, 2, 16, 25, 3)) if 'imd_joint' in name]
        ['loss_imd_joint_instance_to_cluster', 'loss_imd_joint_cluster_to_instance']
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
        encoder = dict(type='NeighborEncoder', share_projector=share_projector)
        super().__init__(encoder=encoder, cmd_weight=cmd_weight, **kwargs)
        self.num_neighbors = num_neighbors
        check_weights(imd_weight=imd_weight)
        self.imd_weight = imd_weight
        check_topk('num_neighbors', num_neighbors, self.bank.size)

    def branch_similarities(
        self, name: str, query_view: Tensor, key_view: Tensor
    ) -> Tuple[Similarity, Similarity]:
        """Embeds two views (B, M, T, V, C) in both branches of a stream; the keys are stashed.

        Returns:
            How similar the instance branch is to its keys and its part of the
            bank, and the cluster branch likewise.
        """
        stream, bank = self.streams[name], self.bank.view(name)
        query_frames, query = stream.query.instance(query_view)
        with torch.no_grad():
            key_frames, key = stream.key.instance(key_view)
        instance = Similarity(query.embedding, key.embedding, bank.key)

        neighbors = self.neighbors(instance.query_sim, query.hidden, bank.hidden)
        query_cluster = stream.query.cluster(query_frames, *neighbors).embedding
        with torch.no_grad():
            neighbors = self.neighbors(instance.key_sim, key.hidden, bank.hidden)
            key_cluster = stream.key.cluster(key_frames, *neighbors).embedding
        self.stash_keys(name, key=key.embedding, cluster_key=key_cluster, hidden=key.hidden)
        return instance, Similarity(query_cluster, key_cluster, bank.cluster_key)

    @torch.no_grad()
    def neighbors(self, similarity: Tensor, own: Tensor, hidden: Tensor) -> Tuple[Tensor, Tensor]:
        """Hidden embeddings of the bank rows nearest to each sample (equation 7).

        Args:
            similarity: (B, N), to the keys of the bank.
            own: (B, H), the samples' own hidden embeddings, to which a sample
                attends while the bank is empty.
            hidden: (N, H), hidden embeddings of the bank.

        Returns:
            (B, K_d, H), and a mask (B, K_d) of what is to be ignored.
        """
        index, found = self.bank.nearest(similarity, self.num_neighbors)
        neighbors = torch.where(found[..., None], hidden[index], own[:, None].to(hidden.dtype))
        alone = ~found.any(dim=1, keepdim=True)
        return neighbors, torch.cat((~(found[:, :1] | alone), ~found[:, 1:]), dim=1)

    def teachers(self) -> Collection[str]:
        """All streams where their branches teach each other."""
        return self.streams.keys() if self.imd_weight else super().teachers()

    def imd_losses(
        self, teachers: Tuple[Dict[str, Anchors], ...], similarities: Tuple[Dict[str, Similarity], ...]
    ) -> Dict[str, Tensor]:
        """Distillation between the branches of each stream, both ways (equation 8)."""
        losses = {}
        branches = ('instance', 'cluster')
        for teacher, student in ((0, 1), (1, 0)) if self.imd_weight else ():
            for name in self.streams:
                loss = self.distillation.distill(
                    teachers[teacher][name], similarities[student][name].query_sim
                )
                term = f'loss_imd_{name}_{branches[teacher]}_to_{branches[student]}'
                losses[term] = self.imd_weight * loss
        return losses

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """All terms of equation 10, by name."""
        instance, cluster = {}, {}
        for name in self.streams:
            instance[name], cluster[name] = self.branch_similarities(name, *inputs)
        teachers = self.teacher_distributions(instance)
        cluster_teachers = self.teacher_distributions(cluster) if self.imd_weight else {}
        return {
            **self.contrast_losses(instance),
            **self.contrast_losses(cluster, 'cluster_nce'),
            **self.imd_losses((teachers, cluster_teachers), (instance, cluster)),
            **self.cmd_losses(teachers, instance),
        }
