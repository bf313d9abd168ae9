"""What a run wrote of itself."""

import json
import re
from pathlib import Path
from statistics import mean
from typing import Dict, Iterable, List, Tuple, Union

from ..models.modality import MODALITIES

#: Epochs, and a value for each.
Curve = Tuple[List[int], List[float]]
#: What stands for all streams together in the names of curves.
ALL_STREAMS = 'all streams'


#: A loss or an accuracy of a stream, or from one stream to another: its group, then the stream.
_TERM = re.compile(rf'((?:loss|acc)_\w+?)_(?:{"|".join(MODALITIES)})(?:_|$)')


def group_terms(names: Iterable[str]) -> Dict[str, List[str]]:
    """Groups the losses and accuracies of streams by what they are.

    Example:
        >>> group_terms(['loss', 'loss_nce_joint', 'loss_nce_bone', 'loss_cmd_joint_to_bone', 'time'])
        {'loss_nce': ['loss_nce_joint', 'loss_nce_bone'], 'loss_cmd': ['loss_cmd_joint_to_bone']}
    """
    groups: Dict[str, List[str]] = {}
    for name in names:
        if term := _TERM.match(name):
            groups.setdefault(term[1], []).append(name)
    return groups


def group_value(group: str, values: List[float]) -> float:
    """What stands for a group: the sum of its losses, the mean of its accuracies."""
    return sum(values) if group.startswith('loss') else mean(values)


def read_scalars(work_dir: Union[str, Path], prefix: str) -> Dict[str, Curve]:
    """Reads scalars that a run logged, over all its resumptions; later values count.

    Args:
        work_dir: Folder in which MMEngine's runner wrote its logs.
        prefix: What the names of the scalars begin with.

    Returns:
        The rest of the name -> (steps, values).
    """
    values: Dict[str, Dict[int, float]] = {}
    for log in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        lines = log.read_text().splitlines(keepends=True)
        if lines and not lines[-1].endswith('\n'):
            lines.pop()  # a killed run leaves half of its last line
        for record in map(json.loads, lines):
            for key, value in record.items():
                if key.startswith(prefix):
                    values.setdefault(key[len(prefix) :], {})[record['step']] = value
    return {name: tuple(map(list, zip(*sorted(curve.items())))) for name, curve in values.items()}


def read_term_curves(work_dir: Union[str, Path]) -> Dict[str, Curve]:
    """Reads losses and accuracies of training, one curve for each group of terms.

    Args:
        work_dir: Folder of the logs.

    Returns:
        ``'loss'`` and its groups, such as ``'loss_nce'``, which sum to it; and
        accuracies, such as ``'acc_nce'``, the mean over the streams -> (epochs,
        means of the lines of each); empty if no step was logged.
    """
    scalars = {name: dict(zip(*curve)) for name, curve in read_scalars(work_dir, '').items()}
    epoch_of = scalars.get('epoch', {})
    curves = {}
    for group, names in {'loss': ['loss'], **group_terms(scalars)}.items():
        by_epoch: Dict[int, List[float]] = {}
        for step, epoch in epoch_of.items():
            # A term of a later stage is not there from the start.
            values = [scalars[name][step] for name in names if step in scalars.get(name, {})]
            if values:
                by_epoch.setdefault(epoch, []).append(group_value(group, values))
        if by_epoch:
            curves[group] = list(by_epoch), [mean(values) for values in by_epoch.values()]
    return curves


def read_knn_curves(work_dir: Union[str, Path]) -> Dict[str, Curve]:
    """Reads the validation accuracies of a run.

    Args:
        work_dir: Folder of its logs.

    Returns:
        Stream (``'all streams'`` for their concatenation) -> (epochs,
        accuracies in percent); empty if nothing was validated.
    """
    curves = read_scalars(work_dir, 'knn/top1')
    return {name.lstrip('_') or ALL_STREAMS: curve for name, curve in curves.items()}


def read_quality_curves(work_dir: Union[str, Path]) -> Dict[str, Dict[str, Curve]]:
    """Reads what :class:`~i2md_mmaction.evaluation.EmbeddingQuality` logged.

    Args:
        work_dir: Folder of the logs.

    Returns:
        Quality -> stream (``'all streams'`` for their mean) -> (epochs,
        values); empty if nothing was logged.
    """
    curves: Dict[str, Dict[str, Curve]] = {}
    for name, curve in read_scalars(work_dir, 'embedding/').items():
        quality, _, stream = name.partition('_')
        curves.setdefault(quality, {})[stream or ALL_STREAMS] = curve
    return curves
