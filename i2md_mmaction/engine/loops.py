"""Loops that MMEngine's runner drives."""

from contextlib import nullcontext
from copy import deepcopy
from typing import Dict, List, Tuple, Union

import torch
from mmaction.registry import LOOPS
from mmengine.dist import collect_results
from mmengine.evaluator import Evaluator
from mmengine.optim import OptimWrapper
from mmengine.runner import BaseLoop
from torch import Tensor
from torch.utils.data import DataLoader

from ..datasets import check_joined_labels
from ..evaluation.inference import bank_dataloader
from ..evaluation.knn import check_neighbors
from ..evaluation.metrics import KNNAccuracy, collect


@LOOPS.register_module()
class KNNLoop(BaseLoop):
    """Evaluates frozen features by the neighbours of one split in another.

    Serves as the validation loop of pre-training and, with ``mode='test'``, as
    the test loop of a pre-training checkpoint.

    Args:
        runner: The runner.
        dataloader: Config of the dataloader of the queries.
        evaluator: Metrics; each :class:`KNNAccuracy` among them is given the
            bank.
        bank: What the bank's dataset has different from the queries', such as
            ``dict(split='xsub_train')``; see
            :func:`~i2md_mmaction.evaluation.inference.bank_dataloader`.
        mode: ``'val'`` or ``'test'``, whose hooks are called. Validation
            embeds in the precision that trains, a test in float32.

    Raises:
        ValueError: If no bank is named, k exceeds it, or data sets are joined
            whose labels are no one list.
    """

    def __init__(
        self,
        runner,
        dataloader: Union[DataLoader, Dict],
        evaluator: Union[Evaluator, Dict, List],
        bank: Dict,
        mode: str = 'val',
    ) -> None:
        if mode not in ('val', 'test'):
            raise ValueError(f"mode must be 'val' or 'test', got {mode!r}")
        if not isinstance(dataloader, dict):
            raise TypeError('KNNLoop builds two dataloaders: give the config of one, not a built one')
        super().__init__(runner, deepcopy(dataloader))
        self.bank_dataloader = runner.build_dataloader(bank_dataloader(dataloader, bank), seed=runner.seed)
        self.evaluator = evaluator if isinstance(evaluator, Evaluator) else runner.build_evaluator(evaluator)
        self.evaluator.dataset_meta = getattr(self.dataloader.dataset, 'metainfo', None)
        self.mode = mode
        for loader in (self.dataloader, self.bank_dataloader):
            check_joined_labels(loader.dataset)
        for metric in self.evaluator.metrics:
            if isinstance(metric, KNNAccuracy):
                check_neighbors(metric.k, len(self.bank_dataloader.dataset))

    def run(self) -> Dict[str, float]:
        """Embeds both splits and computes the metrics."""
        self._call('before_{}')
        self._call('before_{}_epoch')
        self.runner.model.eval()
        self._give_bank()
        for index, batch in enumerate(self.dataloader):
            self._call('before_{}_iter', batch_idx=index, data_batch=batch)
            outputs = self._predict(batch)
            self.evaluator.process(data_samples=outputs, data_batch=batch)
            self._call('after_{}_iter', batch_idx=index, data_batch=batch, outputs=outputs)
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        self._call('after_{}_epoch', metrics=metrics)
        self._call('after_{}')
        return metrics

    def _call(self, point: str, **kwargs) -> None:
        """Calls the hooks of a point of this loop's mode."""
        self.runner.call_hook(point.format(self.mode), **kwargs)

    @torch.no_grad()
    def _predict(self, batch: Dict) -> list:
        wrapper = getattr(self.runner, 'optim_wrapper', None) if self.mode == 'val' else None
        with wrapper.optim_context(self.runner.model) if isinstance(wrapper, OptimWrapper) else nullcontext():
            return self.runner.model.test_step(batch)

    def _give_bank(self) -> None:
        """Embeds the bank's split on all ranks and hands it to the metrics."""
        collected: List[Tuple[Dict[str, Tensor], int]] = []
        for batch in self.bank_dataloader:
            collected += collect([sample.to_dict() for sample in self._predict(batch)])
        collected = collect_results(collected, len(self.bank_dataloader.dataset), 'cpu')
        for metric in self.evaluator.metrics:
            if isinstance(metric, KNNAccuracy):
                metric.bank = collected
