"""Features and scores of a split under a config's model, outside a run."""

from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional, Sequence, Tuple, Union

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader

from ..datasets import check_labels
from ..models.checkpoints import load_weights
from ..models.encoder import average_map


def load_model(config: Config, checkpoint: Union[str, Path, None] = None, seed: int = 0) -> torch.nn.Module:
    """Builds a config's model in eval mode.

    Args:
        config: A whole config.
        checkpoint: Weights, all of which must fit; without, the model is
            initialised at random.
        seed: Seed of that initialisation.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        CheckpointMismatch: If it cannot be read or does not fit the model.
    """
    init_default_scope(config.get('default_scope', 'mmaction'))
    torch.manual_seed(seed)
    model = MODELS.build(config.model)
    if checkpoint is None:
        initialise(model)
    else:
        load_weights(model, checkpoint)
    return model.eval()


def initialise(model: torch.nn.Module) -> None:
    """Initialises weights at random without a line on the console for each of them."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        model.init_weights()
    finally:
        logger.setLevel(level)


def bank_dataloader(dataloader: Mapping, bank: Optional[Mapping]) -> Dict:
    """The dataloader of the bank in which the neighbours of queries are sought.

    This is the one place that says what the bank is; the loop, the protocols
    and the reports ask here.

    Args:
        dataloader: Config of the dataloader of the queries.
        bank: What the bank's dataset has different from the queries', such as
            ``dict(split='xsub_train')`` or ``dict(ann_file=..., split=None)``;
            with a ``type``, a whole dataset of its own.

    Raises:
        ValueError: If no bank is named.

    Example:
        >>> queries = dict(batch_size=8, dataset=dict(ann_file='a.pkl', split='val'))
        >>> bank_dataloader(queries, dict(split='train'))
        {'batch_size': 8, 'dataset': {'ann_file': 'a.pkl', 'split': 'train'}}
    """
    if not bank:
        raise ValueError(
            'no bank is named; set bank of val_cfg and test_cfg to what its dataset has different from the '
            "queries', such as dict(type='KNNLoop', bank=dict(split='xsub_train'))"
        )
    own = {} if 'type' in bank else dataloader['dataset']
    return {**dataloader, 'dataset': {**own, **bank}}


def inner_dataset(dataset: Mapping) -> Mapping:
    """The config of the first data set behind wrappers such as ``ConcatDataset``.

    Data sets that are joined are prepared alike.

    Example:
        >>> inner_dataset(dict(datasets=[dict(ann_file='a.pkl'), dict(ann_file='b.pkl')]))
        {'ann_file': 'a.pkl'}
    """
    while 'dataset' in dataset or 'datasets' in dataset:
        dataset = dataset['dataset'] if 'dataset' in dataset else dataset['datasets'][0]
    return dataset


def dataloaders(config: Config) -> Dict[str, Dict]:
    """The dataloaders of a config's test, ``'query'``, and of its bank, ``'bank'``."""
    query = config.test_dataloader
    return dict(query=query, bank=bank_dataloader(query, config.test_cfg.get('bank')))


def build_dataloader(dataloader: Union[Mapping, DataLoader]) -> DataLoader:
    """A dataloader as MMEngine's runner builds it from a config; a built one stays as it is."""
    return dataloader if isinstance(dataloader, DataLoader) else Runner.build_dataloader(dict(dataloader))


def load_batches(dataloader: Union[Mapping, DataLoader], progress: Optional[str] = None) -> Iterator[Dict]:
    """Batches of a dataloader, built as MMEngine's runner does.

    Args:
        dataloader: A dataloader or the config of one, without shuffling.
        progress: Title of a progress bar; none by default.
    """
    return track(build_dataloader(dataloader), description=progress, disable=progress is None)


@torch.no_grad()
def embed_split(
    model: torch.nn.Module,
    dataloader: Union[Mapping, DataLoader],
    with_joints: bool = False,
    progress: Optional[str] = None,
    streams: Optional[Sequence[str]] = None,
) -> Tuple[Dict[str, Tensor], Tensor]:
    """Embeds one split under the view of evaluation.

    Args:
        model: A pre-training recognizer on its device.
        dataloader: Dataloader of the split, or the config of one.
        with_joints: Whether to add the view itself, flattened, as ``'raw'``.
        progress: Title of a progress bar; none by default.
        streams: Streams to embed; all by default.

    Returns:
        Hidden embeddings (S, H) by stream, and labels (S,), -1 where there is
        none, on the host.
    """
    collected, labels = [], []
    for batch in load_batches(dataloader, progress):
        data = model.data_preprocessor(batch, training=False)
        features = model.extract_feat(data['inputs'], streams)
        if with_joints:
            features['raw'] = data['inputs'].flatten(1)
        collected.append({name: feature.cpu() for name, feature in features.items()})
        labels += [int(sample.gt_label) for sample in data['data_samples']]
    joined = {name: torch.cat([features[name] for features in collected]) for name in collected[0]}
    return joined, torch.tensor(labels)


def embed_by_backbone(model: torch.nn.Module, batch: Mapping) -> list:
    """Embeds a batch by the backbone of one of mmaction2's recognizers in eval mode.

    A map, as mmaction2's graph networks give, is averaged over persons, frames
    and joints, and the clips of a sample are averaged.

    Args:
        model: Such as ``RecognizerGCN``, on its device.
        batch: As its dataloader gives it.

    Returns:
        The data samples, each with the field ``embedding``: the feature (H,) as
        that of a stream, called ``'backbone'``.

    Raises:
        TypeError: If the backbone gives neither maps nor features.
    """
    data = model.data_preprocessor(batch, training=False)
    feature = model.extract_feat(data['inputs'], stage='backbone')[0]
    if not torch.is_tensor(feature) or feature.dim() not in (2, 5):
        found = f'shape {tuple(feature.shape)}' if torch.is_tensor(feature) else f'a {type(feature).__name__}'
        raise TypeError(
            f'{type(model.backbone).__name__} gives {found}; neighbours are sought of features (B, H) or of '
            'maps (B, persons, H, frames, joints)'
        )
    samples = data['data_samples']
    hidden = average_map(feature).float()  # of each clip
    hidden = hidden.view(len(samples), -1, hidden.size(1)).mean(dim=1)
    for sample, row in zip(samples, hidden):
        sample.set_field({'backbone': row}, 'embedding')
    return samples


def score_split(
    model: torch.nn.Module, dataloader: Union[Mapping, DataLoader], progress: Optional[str] = None
) -> Tuple[Tensor, Tensor]:
    """Scores one labelled split with a classifier in eval mode; arguments as for :func:`score_clips`.

    Raises:
        ValueError: If a sample has no label, or data sets are joined whose
            labels are no one list.
    """
    dataloader = build_dataloader(dataloader)
    check_labels(dataloader.dataset)
    return score_clips(model, dataloader, progress)


@torch.no_grad()
def score_clips(
    model: torch.nn.Module, dataloader: Union[Mapping, DataLoader], progress: Optional[str] = None
) -> Tuple[Tensor, Tensor]:
    """Scores clips, labelled or not, with a classifier in eval mode.

    Args:
        model: A :class:`~i2md_mmaction.models.SkeletonClassifier` on its device.
        dataloader: Dataloader of the split, or the config of one.
        progress: Title of a progress bar; none by default.

    Returns:
        Scores (S, classes) and labels (S,), -1 where there is none, on the host.
    """
    scored = [
        (sample.pred_score.cpu(), int(sample.gt_label))
        for batch in load_batches(dataloader, progress)
        for sample in model.test_step(batch)
    ]
    scores, labels = zip(*scored)
    return torch.stack(scores), torch.tensor(labels)
