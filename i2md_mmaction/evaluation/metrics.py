"""Metrics on frozen features."""

from typing import Dict, List, Optional, Sequence, Set, Tuple

import numpy as np
import torch
from mmaction.evaluation import AccMetric
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric, Evaluator
from torch import Tensor, nn

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


def metric_names(evaluator: Evaluator, model: nn.Module) -> Optional[Set[str]]:
    """What an evaluator measures, as ``save_best`` may name it.

    Args:
        evaluator: MMEngine's evaluator.
        model: The model, whose ``streams`` :class:`KNNAccuracy` measures.

    Returns:
        The names, or None if they cannot be told without an evaluation.
    """
    names: Set[str] = set()
    for metric in evaluator.metrics:
        if isinstance(metric, KNNAccuracy) and hasattr(model, 'streams'):
            own = {'top1', *(f'top1_{stream}' for stream in model.streams)}
        elif isinstance(metric, AccMetric) and 'mean_average_precision' not in str(metric.metrics):
            own = set(metric.calculate([np.arange(100.0)], [0]))
        else:
            return None
        names |= {f'{metric.prefix}/{name}' if metric.prefix else name for name in own}
    return names


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
