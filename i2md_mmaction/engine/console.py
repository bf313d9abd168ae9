"""What a run says on the console: what it is made of, then a line that fits."""

import logging
from pathlib import Path
from typing import Dict, List, Tuple

from mmaction.registry import HOOKS, LOG_PROCESSORS, RUNNERS
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import IterBasedTrainLoop, LogProcessor, Runner
from torch.utils.data import Dataset

from ..datasets import joined_datasets
from ..evaluation.history import group_terms, group_value
from .hooks import unwrapped

#: How records begin that go to the log file alone: the machine, the config, the order of hooks, what the
#: summary or each line says once more, and what MMEngine's own hooks do that it advises against.
_DETAILS = (
    '\n' + '-' * 60,
    'Config:\n',
    'Hooks will be executed in the following order:',
    'Distributed training is not used',
    'Checkpoints will be saved to',
    'Exp name: ',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a record belongs on the console, and not in the log file alone."""
    message = record.getMessage()
    return not (message.startswith(_DETAILS) or message.endswith('videos remain after valid thresholding'))


@RUNNERS.register_module()
class SkeletonRunner(Runner):
    """MMEngine's runner, whose long header goes to the log file and not to the console.

    Args:
        *args: As for ``Runner``, like the following.
        **kwargs: ``work_dir``, for example.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::cmd_ntu60.py').runner_type
        'SkeletonRunner'
    """

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Builds the logger, and lets its console say less."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(is_news)
        return logger


@HOOKS.register_module()
class RunSummaryHook(Hook):
    """Says before the first step what the run is made of, in a few lines.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::cmd_ntu60.py').default_hooks.summary
        {'type': 'RunSummaryHook'}
    """

    # After what refuses bad settings.
    priority = 'BELOW_NORMAL'

    def before_train(self, runner) -> None:
        """Writes the summary into the log."""
        rows = _summary(runner)
        width = max(len(name) for name, _ in rows)
        lines = [f'  {name:<{width}}  {value}' for name, value in rows if value]
        runner.logger.info('\n'.join([type(unwrapped(runner.model)).__name__, *lines]))


def _summary(runner) -> List[Tuple[str, str]]:
    """What matters of a run, name by name."""
    model, loader = unwrapped(runner.model), runner.train_dataloader
    backbones = [type(module.backbone).__name__ for module in model.modules() if hasattr(module, 'backbone')]
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    optimizer, wrapper = runner.optim_wrapper.optimizer, type(runner.optim_wrapper)
    rates = ', '.join(str(rate) for rate in sorted({group['lr'] for group in optimizer.param_groups}))
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        length = f'{runner.max_iters:,} steps'
    else:
        length = f'{runner.max_epochs} epochs of {len(loader):,} steps'
    processes = f' in each of {get_world_size()} processes' * (get_world_size() > 1)
    return [
        ('streams', ', '.join(getattr(model, 'streams', ()))),
        ('encoder', f'{backbones[-1]}, ' * bool(backbones) + f'{trained / 1e6:.2f} M parameters to train'),
        ('data', describe_data(loader.dataset)),
        ('validation', describe_data(runner.val_dataloader.dataset) if runner.val_loop else 'none'),
        ('training', f'{length}, batches of {loader.batch_size}{processes}, seed {runner.seed}'),
        ('optimizer', ', '.join([type(optimizer).__name__, f'learning rate {rates}', wrapper.__name__])),
        ('device', str(next(model.parameters()).device)),
        ('writes to', str(runner.work_dir)),
    ]


def describe_data(dataset: Dataset) -> str:
    """How many samples of which files and splits.

    Example:
        >>> from types import SimpleNamespace
        >>> class Data(SimpleNamespace):
        ...     __len__ = lambda self: 1020
        >>> describe_data(Data(ann_file='data/nw_ucla.pkl', split='xview_train'))
        '1,020 samples of nw_ucla.pkl xview_train'
    """
    files = []
    for part in joined_datasets(dataset):
        name, split = getattr(part, 'ann_file', type(part).__name__), getattr(part, 'split', None)
        files.append(' '.join(filter(None, [Path(name).name, split])))
    return f'{len(dataset):,} samples of {", ".join(files)}'


@LOG_PROCESSORS.register_module()
class GroupedLogProcessor(LogProcessor):
    """MMEngine's log processor, whose lines hold one number for each group of terms.

    A group is what a term is called before its stream: ``loss_cmd`` is the sum
    of ``loss_cmd_joint_to_motion`` and its like, so that the groups sum to
    ``loss``; ``acc_nce`` is the mean of ``acc_nce_joint`` and its like. Every
    single term stays in TensorBoard and in the JSON log. Accuracies are smoothed
    as losses are, since the last batch, which is often a small one, says little.

    Args:
        mean_pattern: Which scalars are smoothed over the window.
        **kwargs: As for ``LogProcessor``.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::cmd_ntu60.py').log_processor.type
        'GroupedLogProcessor'
    """

    def __init__(self, mean_pattern: str = r'.*(loss|acc_|time|data_time|grad_norm).*', **kwargs) -> None:
        super().__init__(mean_pattern=mean_pattern, **kwargs)

    def get_log_after_iter(self, runner, batch_idx: int, mode: str) -> Tuple[Dict, str]:
        """As ``LogProcessor``'s: every scalar, and the line."""
        scalars, line = super().get_log_after_iter(runner, batch_idx, mode)
        groups = group_terms(scalars)
        grouped = {name for names in groups.values() for name in names}
        items = [item for item in line.split('  ') if item.partition(': ')[0] not in grouped]
        for group, names in groups.items():
            value = group_value(group, [scalars[name] for name in names])
            items.append(f'{group}: {value:.{self.num_digits}f}')
        return scalars, '  '.join(items)
