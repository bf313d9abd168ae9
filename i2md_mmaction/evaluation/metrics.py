"""Metrics on frozen features."""

from typing import Dict, List, Optional, Sequence, Set, Tuple

import numpy as np
import torch
from mmaction.evaluation import AccMetric
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric, Evaluator
from torch import Tensor, nn

from .knn import knn_accuracy
from .quality import QUALITIES, embedding_quality


@METRICS.register_module()
class KNNAccuracy(BaseMetric):
    """k-NN accuracy, in percent, of each stream's features and of all of them together.

    :class:`~i2md_mmaction.engine.KNNLoop` first gives it the bank, the labelled
    features in which the neighbours are sought.

    Args:
        k: Neighbours; 1 in the papers.
        collect_device: As for ``BaseMetric``.
        prefix: As for ``BaseMetric``.

    Raises:
        RuntimeError: On evaluation, if no loop has given it a bank.
        ValueError: On evaluation, if k exceeds the bank, or a feature is not finite.

    Example:
        >>> def sample(feature, label):
        ...     return dict(embedding=dict(joint=torch.tensor(feature)), gt_label=label)
        >>> metric = KNNAccuracy()
        >>> metric.bank = collect([sample([1.0, 0.0], 0), sample([0.0, 1.0], 1)])
        >>> metric.process({}, [sample([3.0, 1.0], 0), sample([2.0, 1.0], 1)])  # the second lies near class 0
        >>> metric.evaluate(size=2)
        {'knn/top1_joint': 50.0, 'knn/top1': 50.0}
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


@METRICS.register_module()
class EmbeddingQuality(BaseMetric):
    """Alignment, uniformity, spread and effective rank of the embeddings, without a label.

    They say whether a run collapses, and stand in for 1-NN where data have no
    labels; see :mod:`.quality` for each. :class:`~i2md_mmaction.engine.EmbeddingLoop`,
    and so ``KNNLoop``, embeds two training views of each sample for it. With
    ``save_best='embedding/rank'`` name the rule, ``rule='greater'``.

    Args:
        collect_device: As for ``BaseMetric``.
        prefix: As for ``BaseMetric``.

    Raises:
        ValueError: On evaluation, if there are fewer than two samples, or a
            feature is not finite.

    Example:
        >>> metric = EmbeddingQuality()
        >>> for feature in torch.eye(4):  # each sample in a direction of its own, both views alike
        ...     views = torch.stack((feature, feature))
        ...     metric.process({}, [dict(embedding=dict(joint=feature), view_embeddings=dict(joint=views))])
        >>> measured = metric.evaluate(size=4)
        >>> measured['embedding/alignment'], round(measured['embedding/rank'], 2)
        (0.0, 4.0)
    """

    default_prefix = 'embedding'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keeps the embeddings of a batch, on the host."""
        self.results.extend(
            tuple(
                {stream: feature.cpu() for stream, feature in sample[field].items()}
                for field in ('embedding', 'view_embeddings')
            )
            for sample in data_samples
        )

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """Measures the embeddings that were collected."""
        features, views = map(stack_streams, zip(*results))
        return embedding_quality(features, views)


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
        elif isinstance(metric, EmbeddingQuality) and hasattr(model, 'streams'):
            own = {f'{name}_{stream}' for name in QUALITIES for stream in model.streams} | set(QUALITIES)
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
    return stack_streams(features), torch.tensor(labels)


def stack_streams(rows: Sequence[Dict[str, Tensor]]) -> Dict[str, Tensor]:
    """Stacks what each sample has by stream to one tensor by stream."""
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
