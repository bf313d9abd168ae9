"""Loops that MMEngine's runner drives."""

from contextlib import contextmanager, nullcontext
from copy import deepcopy
from typing import ContextManager, Dict, Iterator, List, Tuple, Union

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.registry import LOOPS
from mmengine.dist import collect_results
from mmengine.evaluator import Evaluator
from mmengine.optim import OptimWrapper
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, TestLoop, ValLoop
from torch import Tensor
from torch.utils.data import DataLoader

from ..datasets import AnnotationError, check_labels
from ..evaluation.inference import bank_dataloader, embed_by_backbone
from ..evaluation.knn import check_neighbors
from ..evaluation.metrics import EmbeddingQuality, KNNAccuracy, collect
from .hooks import unwrapped


@contextmanager
def naming(asking: str) -> Iterator[None]:
    """Lets the error on an annotation file begin with what asked for the file.

    Training and validation data and the bank may be one file or four; a data
    set does not know for which of them it is built.

    Args:
        asking: As the config has it, such as ``'train_dataloader'``.
    """
    try:
        yield
    except AnnotationError as error:
        error.args = (f'{asking}: {error}',)
        raise


@LOOPS.register_module()
class SkeletonTrainLoop(EpochBasedTrainLoop):
    """MMEngine's loop of epochs, which names ``train_dataloader`` where its data must not be trained on.

    Args:
        *args: As for ``EpochBasedTrainLoop``, like the following.
        **kwargs: ``max_epochs`` and ``val_interval``, for example.

    Raises:
        AnnotationError: If a data set refuses its file.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::cmd_demo.py').train_cfg.type
        'SkeletonTrainLoop'
    """

    def __init__(self, *args, **kwargs) -> None:
        with naming('train_dataloader'):
            super().__init__(*args, **kwargs)


@LOOPS.register_module()
class SkeletonValLoop(ValLoop):
    """MMEngine's validation, which names ``val_dataloader`` where its data must not be used.

    Args:
        *args: As for ``ValLoop``, like the following.
        **kwargs: ``fp16``, for example.

    Raises:
        AnnotationError: If a data set refuses its file.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::downstream/linear.py').val_cfg.type
        'SkeletonValLoop'
    """

    def __init__(self, *args, **kwargs) -> None:
        with naming('val_dataloader'):
            super().__init__(*args, **kwargs)


@LOOPS.register_module()
class SkeletonTestLoop(TestLoop):
    """MMEngine's test, which names ``test_dataloader`` where its data must not be used.

    Args:
        *args: As for ``TestLoop``, like the following.
        **kwargs: ``fp16``, for example.

    Raises:
        AnnotationError: If a data set refuses its file.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::downstream/linear.py').test_cfg.type
        'SkeletonTestLoop'
    """

    def __init__(self, *args, **kwargs) -> None:
        with naming('test_dataloader'):
            super().__init__(*args, **kwargs)


@LOOPS.register_module()
class EmbeddingLoop(BaseLoop):
    """Embeds a split and measures the embeddings, without a label.

    Serves as the validation loop of pre-training and, with ``mode='test'``, as
    the test loop of a pre-training checkpoint.

    Args:
        runner: The runner.
        dataloader: Config of a dataloader, or a built one.
        evaluator: Metrics. For an :class:`EmbeddingQuality` among them the
            first two training views of each sample are embedded too, the same
            ones at every evaluation.
        mode: ``'val'`` or ``'test'``, whose hooks are called. Validation
            embeds in the precision that trains, a test in float32.

    Raises:
        AnnotationError: If a data set refuses its file.
        ValueError: If a metric needs a bank, which only :class:`KNNLoop` has,
            or two training views where the model has one.

    Example:
        >>> from mmengine.hub import get_config
        >>> config = get_config('i2md_mmaction::cmd_demo.py')
        >>> best = dict(checkpoint=dict(save_best='embedding/rank'))
        >>> config.merge_from_dict(dict(
        ...     val_cfg=dict(_delete_=True, type='EmbeddingLoop'), default_hooks=best,
        ...     val_evaluator=dict(_delete_=True, type='EmbeddingQuality')))
        >>> config.val_cfg  # names no bank, unlike that of KNNLoop
        {'type': 'EmbeddingLoop'}
    """

    def __init__(
        self,
        runner,
        dataloader: Union[DataLoader, Dict],
        evaluator: Union[Evaluator, Dict, List],
        mode: str = 'val',
    ) -> None:
        if mode not in ('val', 'test'):
            raise ValueError(f"mode must be 'val' or 'test', got {mode!r}")
        with naming(f'{mode}_dataloader'):
            super().__init__(runner, deepcopy(dataloader) if isinstance(dataloader, dict) else dataloader)
        self.evaluator = evaluator if isinstance(evaluator, Evaluator) else runner.build_evaluator(evaluator)
        self.evaluator.dataset_meta = getattr(self.dataloader.dataset, 'metainfo', None)
        self.mode = mode
        self.with_views = any(isinstance(metric, EmbeddingQuality) for metric in self.evaluator.metrics)
        if self.with_views and len(unwrapped(runner.model).data_preprocessor.train_views) < 2:
            raise ValueError('EmbeddingQuality compares two training views; model.data_preprocessor has one')
        self._check_metrics()

    def _check_metrics(self) -> None:
        """Refuses metrics that this loop cannot serve."""
        if any(isinstance(metric, KNNAccuracy) for metric in self.evaluator.metrics):
            raise ValueError('KNNAccuracy needs a bank; use val_cfg=dict(type="KNNLoop", bank=...)')

    def run(self) -> Dict[str, float]:
        """Embeds the split and computes the metrics."""
        self._call('before_{}')
        self._call('before_{}_epoch')
        self.runner.model.eval()
        self._prepare()
        for index, batch in enumerate(self.dataloader):
            self._call('before_{}_iter', batch_idx=index, data_batch=batch)
            outputs = self._predict(batch)
            if self.with_views:
                self._embed_views(batch, outputs, seed=index)
            self.evaluator.process(data_samples=outputs, data_batch=batch)
            self._call('after_{}_iter', batch_idx=index, data_batch=batch, outputs=outputs)
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        self._call('after_{}_epoch', metrics=metrics)
        self._call('after_{}')
        return metrics

    def _prepare(self) -> None:
        """What is to be done before the split is embedded."""

    def _call(self, point: str, **kwargs) -> None:
        """Calls the hooks of a point of this loop's mode."""
        self.runner.call_hook(point.format(self.mode), **kwargs)

    def _precision(self) -> ContextManager:
        """That of training, while it is validated."""
        wrapper = getattr(self.runner, 'optim_wrapper', None) if self.mode == 'val' else None
        trains = isinstance(wrapper, OptimWrapper)
        return wrapper.optim_context(self.runner.model) if trains else nullcontext()

    @torch.no_grad()
    def _predict(self, batch: Dict) -> list:
        with self._precision():
            if isinstance(unwrapped(self.runner.model), BaseRecognizer):
                return embed_by_backbone(unwrapped(self.runner.model), batch)
            return self.runner.model.test_step(batch)

    @torch.no_grad()
    def _embed_views(self, batch: Dict, outputs: list, seed: int) -> None:
        """Writes the embeddings (2, H) of two training views into each sample's ``view_embeddings``."""
        model = unwrapped(self.runner.model)
        device = next(model.parameters()).device
        # The draws are those of every evaluation, and training goes on with its own.
        with torch.random.fork_rng(() if device.type == 'cpu' else (device,), device_type=device.type):
            torch.manual_seed(seed)
            views = model.data_preprocessor(batch, training=True)['inputs'][:2]
        with self._precision():
            embedded = [model(view, mode='tensor') for view in views]
        for index, sample in enumerate(outputs):
            pairs = {
                name: torch.stack([features[name][index] for features in embedded]) for name in embedded[0]
            }
            sample.set_field(pairs, 'view_embeddings')


@LOOPS.register_module()
class KNNLoop(EmbeddingLoop):
    """Evaluates frozen features by the neighbours of one split in another.

    Args:
        runner: The runner.
        dataloader: Config of the dataloader of the queries.
        evaluator: Metrics; each :class:`KNNAccuracy` among them is given the
            bank.
        bank: What the bank's dataset has different from the queries', such as
            ``dict(split='xsub_train')``; see
            :func:`~i2md_mmaction.evaluation.inference.bank_dataloader`.
        mode: As for :class:`EmbeddingLoop`.

    Raises:
        AnnotationError: If a data set, that of the bank included, refuses its
            file.
        ValueError: If no bank is named, k exceeds it, samples have no label, or
            data sets are joined whose labels are no one list.
        TypeError: If the dataloader is not given as a config.

    Example:
        >>> from mmengine.hub import get_config
        >>> config = get_config('i2md_mmaction::cmd_demo.py')
        >>> config.val_cfg.type, config.val_cfg.bank.split, config.val_dataloader.dataset.split
        ('KNNLoop', 'xsub_train', 'xsub_val')
    """

    def __init__(
        self,
        runner,
        dataloader: Union[DataLoader, Dict],
        evaluator: Union[Evaluator, Dict, List],
        bank: Dict,
        mode: str = 'val',
    ) -> None:
        if not isinstance(dataloader, dict):
            raise TypeError('KNNLoop builds two dataloaders: give the config of one, not a built one')
        with naming(f'{mode}_cfg.bank'):
            loader = bank_dataloader(dataloader, bank)
            self.bank_dataloader = runner.build_dataloader(loader, seed=runner.seed)
        super().__init__(runner, dataloader, evaluator, mode)

    def _check_metrics(self) -> None:
        for loader in (self.dataloader, self.bank_dataloader):
            check_labels(loader.dataset)
        for metric in self.evaluator.metrics:
            if isinstance(metric, KNNAccuracy):
                check_neighbors(metric.k, len(self.bank_dataloader.dataset))

    def _prepare(self) -> None:
        """Embeds the bank's split on all ranks and hands it to the metrics."""
        collected: List[Tuple[Dict[str, Tensor], int]] = []
        for batch in self.bank_dataloader:
            collected += collect([sample.to_dict() for sample in self._predict(batch)])
        collected = collect_results(collected, len(self.bank_dataloader.dataset), 'cpu')
        for metric in self.evaluator.metrics:
            if isinstance(metric, KNNAccuracy):
                metric.bank = collected
