"""Cross-modal mutual distillation."""

from itertools import permutations
from typing import Collection, Dict, List, Optional, Sequence, Tuple

from mmaction.registry import MODELS
from torch import Tensor

from ..losses.distillation import Anchors
from ..settings import check_topk, check_weights
from ..similarity import Similarity
from .moco import SkeletonMoCo

Edge = Tuple[str, str]


def directed_edges(streams: Collection[str], edges: Optional[Sequence[Edge]] = None) -> List[Edge]:
    """(teacher, student) pairs of streams; all ordered pairs where none are given.

    Raises:
        ValueError: If an edge names no two streams, or stands twice.

    Example:
        >>> directed_edges(('joint', 'bone'))
        [('joint', 'bone'), ('bone', 'joint')]
    """
    edges = list(permutations(streams, 2)) if edges is None else [tuple(edge) for edge in edges]
    for edge in edges:
        if len(set(edge)) != 2 or not set(edge) <= set(streams):
            raise ValueError(f'edge {edge} must name two of the streams {list(streams)}, teacher first')
    if len(set(edges)) < len(edges):
        raise ValueError(f'an edge stands twice in {edges}; its term would count double')
    return edges


@MODELS.register_module()
class CMD(SkeletonMoCo):
    """MoCo streams that teach one another their similarity distributions.

    Source: CMD, equations 1 to 6.

    Args:
        distillation: Config of the loss on similarities.
        edges: (teacher, student) pairs of streams; all ordered pairs by
            default.
        cmd_weight: Weight of the cross-modal terms; 1 in CMD, 0.5 in I2MD.
            Nothing is computed at 0.
        **kwargs: As for :class:`SkeletonMoCo`.

    Raises:
        ValueError: If an edge names no stream, or K exceeds the bank.

    Example:
        >>> import torch
        >>> model = CMD(
        ...     distillation=dict(type='MutualDistillationLoss', topk=4), streams=('joint', 'bone'),
        ...     backbone=dict(type='BiGRU', hidden_channels=4, num_layers=1),
        ...     bank=dict(type='MemoryBank', size=8))
        >>> [name for name in model.loss(torch.rand(2, 4, 2, 16, 25, 3)) if 'cmd' in name]
        ['loss_cmd_joint_to_bone', 'loss_cmd_bone_to_joint']
    """

    def __init__(
        self,
        distillation: dict = dict(type='MutualDistillationLoss'),  # noqa: B006
        edges: Optional[Sequence[Edge]] = None,
        cmd_weight: float = 1.0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.distillation = MODELS.build(distillation)
        self.edges = directed_edges(self.streams, edges)
        check_weights(cmd_weight=cmd_weight)
        self.cmd_weight = cmd_weight
        check_topk('distillation.topk', self.distillation.topk, self.bank.size)

    def teachers(self) -> Collection[str]:
        """Streams from whose keys another learns."""
        return dict.fromkeys(teacher for teacher, _ in self.edges) if self.cmd_weight else ()

    def teacher_distributions(self, similarities: Dict[str, Similarity]) -> Dict[str, Anchors]:
        """The anchors of each teacher's keys, selected once for all its students."""
        return {name: self.distillation.anchors(similarities[name].key_sim) for name in self.teachers()}

    def cmd_losses(
        self, teachers: Dict[str, Anchors], similarities: Dict[str, Similarity]
    ) -> Dict[str, Tensor]:
        """One distillation term for each directed edge."""
        if not self.cmd_weight:
            return {}
        return {
            f'loss_cmd_{teacher}_to_{student}': self.cmd_weight
            * self.distillation.distill(teachers[teacher], similarities[student].query_sim)
            for teacher, student in self.edges
        }

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """InfoNCE of each stream and distillation along each edge."""
        similarities = self.similarities(self.embed_streams(*inputs))
        teachers = self.teacher_distributions(similarities)
        return {**self.contrast_losses(similarities), **self.cmd_losses(teachers, similarities)}
