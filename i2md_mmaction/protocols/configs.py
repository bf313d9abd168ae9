"""Configs of downstream protocols for the encoder and data set of a pre-training config."""

import copy
from pathlib import Path
from typing import List, Optional, Union

from mmaction.registry import TRANSFORMS
from mmengine.config import Config

from ..evaluation.inference import inner_dataset
from ..evaluation.linear import LinearRecipe
from ..parts import SKELETON, fill_in
from ..skeletons import DEFAULT_LAYOUT
from .table import PROTOCOLS

#: Hooks of pre-training that a classifier has no use for.
_PRETRAINING_HOOKS = ('memory', 'stages')


def downstream_config(
    pretraining: Union[str, Path, Config], protocol: str, folder: Union[str, Path]
) -> Config:
    """The config of a protocol for the encoder and data set of a pre-training config.

    The pre-training config gives encoder, layout, data set and the view of
    evaluation, so that none of them drifts from what was pre-trained; the
    protocol's config states what is different. The classifier trains on crops,
    as in CMD's released code, or on the first view of pre-training if the
    protocol's config says ``train_view = 'pretraining'``.

    Args:
        pretraining: The pre-training config, or its file.
        protocol: Name of a config of the folder, such as ``'linear'``.
        folder: ``configs/downstream``.

    Returns:
        A whole config, which ``mim train`` takes once it is dumped.

    Raises:
        ValueError: If there is no such protocol, or its ``train_view`` is unknown.
    """
    path = Path(folder, f'{protocol}.py')
    if not path.is_file():
        families = {known.family for known in PROTOCOLS.values() if known.family}
        known = sorted({*PROTOCOLS, *families, *(file.stem for file in Path(folder).glob('*.py'))})
        raise ValueError(f'there is no protocol {protocol!r}; choose of {known}')
    if not isinstance(pretraining, Config):
        pretraining = Config.fromfile(pretraining)
    content = copy.deepcopy(pretraining.to_dict())
    content['model'] = _classifier(pretraining)
    content['test_pipeline'] = _test_pipeline(pretraining)
    for name in _PRETRAINING_HOOKS:
        content['default_hooks'].pop(name, None)
    source = Path(pretraining.filename or '').stem
    content['work_dir'] = f'./work_dirs/{"_".join(filter(None, (protocol, source)))}'
    different = Config.fromfile(path).to_dict()
    train_view = different.pop('train_view', 'crop')
    if train_view not in ('crop', 'pretraining'):
        raise ValueError(f"{path}: train_view must be 'crop' or 'pretraining', got {train_view!r}")
    if train_view == 'pretraining':
        views = content['model']['data_preprocessor']
        views['train_views'] = pretraining.model.data_preprocessor.to_dict()['train_views'][:1]
    config = Config(content)
    config.merge_from_dict(different)
    return config


def _classifier(pretraining: Config) -> dict:
    """What a classifier's model takes from pre-training."""
    model = pretraining.model
    preprocessor = model.data_preprocessor.to_dict()
    train_view = preprocessor['train_views'][0][0]
    test_view = preprocessor.get('test_view', [{}])[0]
    # Half to all of the frames and at least 64 (CMD's released code), or what the dataset's config
    # says of sequences too short for that.
    crop = dict(
        type='TemporalCropResize',
        num_frames=test_view.get('num_frames', 64),
        ratio=(0.5, 1.0),
        min_frames=pretraining.get('min_frames', train_view.get('min_frames', 64)),
    )
    head = dict(
        num_classes=pretraining.val_dataloader.dataset.get('num_classes'),
        in_channels=(model.get('projector') or {}).get('in_channels'),
    )
    return dict(
        {name: model[name] for name in SKELETON if name in model},
        backbone=model.backbone.to_dict(),
        cls_head=head,
        data_preprocessor=dict(preprocessor, train_views=[[crop]]),
    )


def _test_pipeline(pretraining: Config) -> List[dict]:
    """The transforms of one clip, by which mmaction2's ``inference_recognizer`` prepares it.

    A data set gives its layout to them; here they state it.
    """
    dataset = inner_dataset(pretraining.test_dataloader.dataset)
    layout = dataset.get('layout', DEFAULT_LAYOUT)
    return [fill_in(step.to_dict(), TRANSFORMS, layout=layout) for step in dataset.pipeline]


def shorten(config: Config, epochs: Optional[int]) -> Config:
    """Trains for fewer epochs, the steps of the learning rate moved along; None changes nothing."""
    if epochs:
        share = epochs / config.train_cfg.max_epochs
        for schedule in config.param_scheduler:
            schedule.milestones = [max(1, round(step * share)) for step in schedule.milestones]
        config.train_cfg.max_epochs = epochs
    return config


def recipe_of(config: Config) -> LinearRecipe:
    """Optimiser and schedule of a downstream config that trains by SGD, as linear evaluation does."""
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


def describe_recipe(config: Config) -> str:
    """Epochs, optimiser, schedule and batch of a downstream config, for a table.

    Example:
        >>> from mmengine.hub import get_config
        >>> describe_recipe(get_config('i2md_mmaction::cmd_ntu60.py'))
        '450 epochs, SGD 0.01, /10 at 350, batch 64, weight decay 0.0001'
    """
    optimizer = config.optim_wrapper.optimizer
    said = [f'{config.train_cfg.max_epochs} epochs', f'{optimizer.type} {optimizer.lr}']
    for schedule in config.get('param_scheduler') or []:
        if schedule.type == 'MultiStepLR':
            steps = ' and '.join(map(str, schedule.milestones))
            said.append(f'/{1 / schedule.gamma:g} at {steps}')
        else:
            said.append(schedule.type)
    said.append(f'batch {config.train_dataloader.batch_size}')
    if optimizer.get('weight_decay'):
        said.append(f'weight decay {optimizer.weight_decay}')
    return ', '.join(said)
