"""Cross-modal mutual distillation."""

from itertools import permutations
from typing import Collection, Dict, Optional, Sequence, Tuple

from mmaction.registry import MODELS
from torch import Tensor

from ..losses.distillation import Anchors
from ..similarity import Comparison
from .moco import SkeletonMoCo


class StreamEdges:
    """Directed edges between the streams of a recognizer."""

    def set_edges(self, edges: Optional[Sequence[Tuple[str, str]]]) -> None:
        """Takes (teacher, student) pairs; None stands for all ordered pairs.

        Raises:
            ValueError: If an edge names no two streams.
        """
        self.edges = list(permutations(self.streams, 2)) if edges is None else [tuple(edge) for edge in edges]
        for edge in self.edges:
            if len(set(edge)) != 2 or not set(edge) <= set(self.streams):
                raise ValueError(
                    f'edge {edge} must name two of the streams {list(self.streams)}, teacher first'
                )


@MODELS.register_module()
class CMD(StreamEdges, SkeletonMoCo):
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
    """

    def __init__(
        self,
        distillation: dict = dict(type='MutualDistillationLoss'),  # noqa: B006
        edges: Optional[Sequence[Tuple[str, str]]] = None,
        cmd_weight: float = 1.0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.distillation = MODELS.build(distillation)
        self.set_edges(edges)
        self.cmd_weight = cmd_weight
        if self.distillation.topk > self.bank.size:
            raise ValueError(
                f'distillation takes the top {self.distillation.topk} rows (topk) of a bank of '
                f'{self.bank.size}; lower `topk` or enlarge the bank'
            )

    def teachers(self) -> Collection[str]:
        """Streams from whose keys another learns."""
        return dict.fromkeys(teacher for teacher, _ in self.edges) if self.cmd_weight else ()

    def teach(self, compared: Dict[str, Comparison]) -> Dict[str, Anchors]:
        """The anchors of each teacher's keys, selected once for all its students."""
        return {name: self.distillation.anchors(compared[name].key) for name in self.teachers()}

    def cmd_losses(self, anchors: Dict[str, Anchors], compared: Dict[str, Comparison]) -> Dict[str, Tensor]:
        """One distillation term for each directed edge."""
        if not self.cmd_weight:
            return {}
        return {
            f'loss_cmd_{teacher}_to_{student}': self.cmd_weight
            * self.distillation.against(anchors[teacher], compared[student].query)
            for teacher, student in self.edges
        }

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """InfoNCE of each stream and distillation along each edge."""
        compared = self.compare_streams(self.embed_streams(*inputs))
        return {**self.contrast_losses(compared), **self.cmd_losses(self.teach(compared), compared)}
