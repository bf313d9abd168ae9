"""Hooks that keep what a downstream run was given: its classes and its labelled samples."""

import json
from pathlib import Path

from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

from ..datasets import label_names
from ..io import write_file


@HOOKS.register_module()
class ClassNamesHook(Hook):
    """Keeps the names of the classes in a classifier's checkpoints, for what names its predictions.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::downstream/linear.py').default_hooks.class_names
        {'type': 'ClassNamesHook'}
    """

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Adds them where the training data name them."""
        names = label_names(runner.train_dataloader.dataset)
        if names:
            checkpoint['meta']['classes'] = names


@HOOKS.register_module()
class SubsetRecordHook(Hook):
    """Saves which labelled samples a semi-supervised run was given.

    Writes ``subset.json`` into the work dir if the training dataset has a ``subset_record``.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::downstream/semi_1.py').train_dataloader.dataset.subset  # is recorded
        {'fraction': 0.01, 'balance': 'uniform', 'seed': 0}
    """

    @master_only
    def before_train(self, runner) -> None:
        """Writes the file."""
        record = getattr(runner.train_dataloader.dataset, 'subset_record', None)
        if record is not None:
            write_file(Path(runner.work_dir, 'subset.json'), json.dumps(record, indent=1))
