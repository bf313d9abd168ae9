"""What a run must not begin with: data and model that do not fit one another."""

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from ..datasets import SkeletonDataset, check_labels, joined_datasets, shared_samples
from .hooks import MoCoMemoryHook, unwrapped


@HOOKS.register_module()
class RunCheckHook(Hook):
    """Refuses, before the first step, a run whose parts do not fit.

    Data sets that say another layout, more persons or other coordinates than the
    model; an epoch without a step; keys that no :class:`MoCoMemoryHook` takes; for a
    classifier, labels that are not there or no one list
    (:func:`~i2md_mmaction.datasets.check_labels`), and more classes than its
    head has. Samples that are both trained on and validated are counted in a
    warning.

    Raises:
        ValueError: Before training or a test; the message names the remedy.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::cmd_demo.py').default_hooks.checks.type
        'RunCheckHook'
    """

    def before_train(self, runner) -> None:
        """Checks model, training and validation data."""
        model, train = unwrapped(runner.model), runner.train_dataloader
        self._check_data('train_dataloader', train.dataset, model)
        if not len(train):
            raise ValueError(
                f'train_dataloader: no batch of {len(train.dataset)} samples is whole, and the last one is '
                'dropped; lower batch_size, or set drop_last=False'
            )
        if hasattr(model, 'enqueue_keys') and not any(isinstance(h, MoCoMemoryHook) for h in runner.hooks):
            raise ValueError(
                f'nothing hands the keys of {type(model).__name__} to its bank; add '
                'memory=dict(type="MoCoMemoryHook") to default_hooks'
            )
        if runner.val_loop is not None:
            val = runner.val_loop.dataloader.dataset
            self._check_data('val_dataloader', val, model)
            shared = shared_samples(train.dataset, val)
            if shared:
                runner.logger.warning(
                    f'{shared} samples are trained on and validated as well; what is measured on them says '
                    'nothing of new data'
                )

    def before_test(self, runner) -> None:
        """Checks model and test data."""
        self._check_data('test_dataloader', runner.test_loop.dataloader.dataset, unwrapped(runner.model))

    def _check_data(self, name: str, dataset: torch.utils.data.Dataset, model: torch.nn.Module) -> None:
        """Raises ValueError if a data set, or one of those joined, does not fit the model."""
        parts = [part for part in joined_datasets(dataset) if isinstance(part, SkeletonDataset)]
        views = getattr(model, 'data_preprocessor', None)
        for part in parts if hasattr(views, 'layout_name') else ():
            if part.layout.name != views.layout_name:
                raise ValueError(
                    f'{name}: {part.ann_file} is of layout {part.layout.name!r}, the model of '
                    f'{views.layout_name!r}; set `layout` of both to that of the data'
                )
            if part.num_persons > views.num_persons:
                raise ValueError(
                    f'{name}: {part.ann_file} may have {part.num_persons} persons, the model takes '
                    f'{views.num_persons}; set `num_persons` of both alike'
                )
            if part.expected.num_coordinates != views.num_coordinates:
                raise ValueError(
                    f'{name}: {part.ann_file} has joints of {part.expected.num_coordinates} coordinates, the '
                    f'model takes {views.num_coordinates}; set `num_coordinates` of both alike'
                )
        head = getattr(model, 'cls_head', None)
        if head is None:
            return
        check_labels(dataset)
        for part in parts:
            classes = part.label_offset + (part.num_classes or 0)
            if classes > head.num_classes:
                raise ValueError(
                    f'{name}: {part.ann_file} has labels up to {classes - 1}, the head {head.num_classes} '
                    'classes; set model.cls_head.num_classes to that of the data'
                )
