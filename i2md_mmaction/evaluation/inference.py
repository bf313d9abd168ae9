"""Features of a split under a config's model, outside a runner."""

from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple, Union

import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader


def build_model(config: Config, checkpoint: Union[str, Path, None] = None, seed: int = 0) -> torch.nn.Module:
    """Builds a config's model in eval mode.

    Args:
        config: A whole config.
        checkpoint: Weights, all of which must fit; without, the model is
            initialised at random.
        seed: Seed of that initialisation.

    Raises:
        RuntimeError: If the checkpoint does not fit the model.
    """
    init_default_scope(config.get('default_scope', 'mmaction'))
    torch.manual_seed(seed)
    model = MODELS.build(config.model)
    if checkpoint is None:
        model.init_weights()
    else:
        weights = torch.load(checkpoint, map_location='cpu', weights_only=True)
        model.load_state_dict(weights.get('state_dict', weights))
    return model.eval()


def load_batches(config: Config, split: str, progress: Optional[str] = None) -> Iterator[Dict]:
    """Batches of one split under ``test_dataloader``'s dataset, in its order.

    Args:
        config: A whole config.
        split: Name of the split.
        progress: Title of a progress bar; none by default.
    """
    init_default_scope(config.get('default_scope', 'mmaction'))
    loader = config.test_dataloader
    dataset = DATASETS.build({**loader.dataset, 'split': split})
    batches = DataLoader(dataset, batch_size=loader.batch_size, collate_fn=pseudo_collate)
    return track(batches, description=progress, disable=progress is None)


@torch.no_grad()
def embed_split(
    model: torch.nn.Module,
    config: Config,
    split: str,
    with_joints: bool = False,
    progress: Optional[str] = None,
) -> Tuple[Dict[str, Tensor], Tensor]:
    """Embeds one split under the view of evaluation.

    Args:
        model: A pre-training recognizer on its device.
        config: Its config; the dataset of ``test_dataloader`` is taken.
        split: Name of the split.
        with_joints: Whether to add the view itself, flattened, as ``'raw'``.
        progress: Title of a progress bar; none by default.

    Returns:
        Hidden embeddings (S, H) by stream, and labels (S,), on the host.
    """
    collected, labels = [], []
    for batch in load_batches(config, split, progress):
        data = model.data_preprocessor(batch, training=False)
        features = model(data['inputs'], mode='tensor')
        if with_joints:
            features['raw'] = data['inputs'].flatten(1)
        collected.append({name: feature.cpu() for name, feature in features.items()})
        labels += [int(sample.gt_label) for sample in data['data_samples']]
    joined = {name: torch.cat([features[name] for features in collected]) for name in collected[0]}
    return joined, torch.tensor(labels)


@torch.no_grad()
def score_split(
    model: torch.nn.Module, config: Config, split: str, progress: Optional[str] = None
) -> Tuple[Tensor, Tensor]:
    """Scores one split with a classifier in eval mode.

    Args:
        model: A :class:`~i2md_mmaction.models.SkeletonClassifier` on its device.
        config: Its config; the dataset of ``test_dataloader`` is taken.
        split: Name of the split.
        progress: Title of a progress bar; none by default.

    Returns:
        Scores (S, classes) and labels (S,), on the host.
    """
    scored = [
        (sample.pred_score.cpu(), int(sample.gt_label))
        for batch in load_batches(config, split, progress)
        for sample in model.test_step(batch)
    ]
    scores, labels = zip(*scored)
    return torch.stack(scores), torch.tensor(labels)
