"""Configs of downstream protocols for the encoder and dataset of a pre-training config."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional, Union

from mmengine.config import Config

from ..evaluation.linear import LinearRecipe

#: Protocols on features that are embedded once; every other one is a config.
CACHED = ('knn', 'linear_cached')
#: Names that stand for several protocols.
FAMILIES = dict(semi=('semi_1', 'semi_5', 'semi_10', 'semi_20'))


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Sets an environment variable for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def downstream_config(pretraining: Union[str, Path], protocol: str, folder: Union[str, Path]) -> Config:
    """The config of a protocol for the encoder and dataset of a pre-training config.

    Args:
        pretraining: File of the pre-training config.
        protocol: Name of a config of the folder, such as ``'linear'``.
        folder: ``configs/downstream``.

    Raises:
        ValueError: If there is no such protocol.
    """
    path = Path(folder, f'{protocol}.py')
    if not path.is_file():
        known = sorted({*CACHED, *FAMILIES, *(file.stem for file in Path(folder).glob('*.py'))})
        raise ValueError(f'there is no protocol {protocol!r}; choose of {known}')
    name = os.path.relpath(Path(pretraining).resolve().with_suffix(''), Path(folder).resolve().parent)
    with environment('I2MD_CONFIG', name):
        return Config.fromfile(path)


def shorten(config: Config, epochs: Optional[int]) -> Config:
    """Trains for fewer epochs, the steps of the learning rate moved along; None changes nothing."""
    if epochs:
        share = epochs / config.train_cfg.max_epochs
        for schedule in config.param_scheduler:
            schedule.milestones = [max(1, round(step * share)) for step in schedule.milestones]
        config.train_cfg.max_epochs = epochs
    return config


def recipe_of(config: Config) -> LinearRecipe:
    """Optimiser and schedule of a downstream config."""
    optimizer = config.optim_wrapper.optimizer
    return LinearRecipe(
        epochs=config.train_cfg.max_epochs,
        lr=optimizer.lr,
        milestones=tuple(config.param_scheduler[0].milestones),
        batch_size=config.train_dataloader.batch_size,
        momentum=optimizer.momentum,
        weight_decay=optimizer.weight_decay,
        evaluate_every=config.train_cfg.val_interval,
    )
