"""What 1-NN reaches without any training: the floors that a pre-trained encoder has to leave below."""

import json
from pathlib import Path
from typing import Dict, Mapping, Optional, Union

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from ..datasets import check_labels
from ..io import write_file
from .inference import build_dataloader, dataloaders, embed_split, load_model
from .knn import knn_accuracy

#: Names of the floors.
RAW_JOINTS, RANDOM_ENCODER = 'raw joints', 'random encoder'
#: The file that keeps the floors of a run beside its logs.
_FILE = 'floors.json'


def knn_floors(
    config: Config, loaders: Optional[Mapping[str, DataLoader]] = None, seed: int = 0
) -> Dict[str, Dict[str, float]]:
    """Measures 1-NN of raw joints, and of the config's encoder before it has learnt anything.

    Raw joints are those of the view of evaluation, flattened.

    Args:
        config: Config of a pre-training.
        loaders: Dataloaders of ``'query'`` and ``'bank'``; those of the
            config's test by default.
        seed: Seed of the encoder.

    Returns:
        Floor -> accuracies (percent) as :func:`.knn_accuracy` has them: of each
        stream, ``top1_STREAM``, and of all together, ``top1``; of raw joints
        ``top1`` alone.

    Raises:
        ValueError: If no bank is named, or a sample has no label.
    """
    init_default_scope(config.get('default_scope', 'mmaction'))
    loaders = loaders or {part: build_dataloader(of) for part, of in dataloaders(config).items()}
    for loader in loaders.values():
        check_labels(loader.dataset)
    model = load_model(config, seed=seed).to(get_device())
    (query, labels), (bank, bank_labels) = (
        embed_split(model, loaders[part], with_joints=True, progress=f'{RANDOM_ENCODER}, {part}')
        for part in ('query', 'bank')
    )
    streams = [stream for stream in query if stream != 'raw']
    raw = knn_accuracy(query, labels, bank, bank_labels, streams=['raw'])
    encoder = knn_accuracy(query, labels, bank, bank_labels, streams=streams)
    return {RAW_JOINTS: {'top1': raw['top1']}, RANDOM_ENCODER: encoder}


def write_floors(work_dir: Union[str, Path], floors: Mapping[str, Mapping[str, float]]) -> Path:
    """Keeps floors, all streams together, in the folder of a run, for every picture of it.

    Example:
        >>> folder = getfixture('tmp_path')
        >>> read_floors(folder)
        {}
        >>> path = write_floors(folder, {'raw joints': {'top1': 64.5}})
        >>> path.name, read_floors(folder)
        ('floors.json', {'raw joints': 64.5})
    """
    levels = {name: accuracies['top1'] for name, accuracies in floors.items()}
    return write_file(Path(work_dir, _FILE), json.dumps(levels, indent=1) + '\n')


def read_floors(work_dir: Union[str, Path]) -> Dict[str, float]:
    """The floors that were kept in the folder of a run, in percent; empty where none were measured."""
    path = Path(work_dir, _FILE)
    return json.loads(path.read_text()) if path.is_file() else {}
