"""Metrics on frozen features."""

from typing import Dict, List, Optional, Sequence, Tuple

import torch
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor

from .knn import knn_accuracy


@METRICS.register_module()
class KNNAccuracy(BaseMetric):
    """k-NN accuracy of each stream's features and of all of them together.

    :class:`~i2md_mmaction.engine.KNNLoop` gives it the bank first.

    Args:
        k: Neighbours; 1 in the papers.
        collect_device: As for ``BaseMetric``.
        prefix: As for ``BaseMetric``.
    """

    default_prefix = 'knn'

    def __init__(self, k: int = 1, collect_device: str = 'cpu', prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.k = k
        self.bank: Optional[List[Tuple[Dict[str, Tensor], int]]] = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keeps features and labels of a batch of queries."""
        self.results.extend(collect(data_samples))

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """Compares the collected queries with the bank.

        Raises:
            RuntimeError: If no loop has given it a bank.
        """
        if not self.bank:
            raise RuntimeError('KNNAccuracy has no bank: use it with val_cfg=dict(type="KNNLoop", bank=...)')
        return knn_accuracy(*stack(results), *stack(self.bank), k=self.k)


def collect(data_samples: Sequence[dict]) -> List[Tuple[Dict[str, Tensor], int]]:
    """Takes (features by stream, label) out of predicted samples, onto the host."""
    return [
        ({name: feature.cpu() for name, feature in sample['embedding'].items()}, int(sample['gt_label']))
        for sample in data_samples
    ]


def stack(collected: Sequence[Tuple[Dict[str, Tensor], int]]) -> Tuple[Dict[str, Tensor], Tensor]:
    """Joins what was collected to features (S, H) by stream and labels (S,)."""
    features, labels = zip(*collected)
    return {name: torch.stack([row[name] for row in features]) for name in features[0]}, torch.tensor(labels)
