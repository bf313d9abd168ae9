"""Weights that fit the model, or are refused with what does not fit."""

from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Tuple, Union

import torch
from torch import Tensor, nn

from ..skeletons import DEFAULT_LAYOUT
from .stored_config import model_settings

#: Settings by which weights of the same shapes differ in meaning, and what they are by default.
_DEFAULTS = dict(layout=DEFAULT_LAYOUT, modality='joint')
#: Groups of tensors that a line of a message names at most.
_GROUPS = 5


class CheckpointMismatch(ValueError):
    """A checkpoint that does not fit what it is loaded into."""


def read_checkpoint(path: Union[str, Path]) -> Dict:
    """Reads a checkpoint onto the host, without running any code in it.

    Args:
        path: The file.

    Returns:
        The checkpoint; bare weights come as ``dict(state_dict=weights)``.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointMismatch: If it cannot be read, or is no checkpoint.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no checkpoint {path}')
    try:
        checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a broken file raises nearly anything
        raise CheckpointMismatch(f'{path} cannot be read: {str(error).splitlines()[0]}') from error
    if not isinstance(checkpoint, Mapping):
        raise CheckpointMismatch(f'{path} holds a {type(checkpoint).__name__}, expected a checkpoint')
    checkpoint = checkpoint if 'state_dict' in checkpoint else dict(state_dict=checkpoint)
    return {**checkpoint, 'state_dict': convert_names(dict(checkpoint['state_dict']))}


def convert_names(weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Renames the weights of version 0.1, in place, to what they are called now.

    There the backbone of a classifier was the bare one, without the encoder
    around it. All other names have stayed.

    Example:
        >>> convert_names({'backbone.norm.weight': torch.ones(1), 'cls_head.fc.bias': torch.ones(1)}).keys()
        dict_keys(['cls_head.fc.bias', 'backbone.backbone.norm.weight'])
    """
    inner, outer = 'backbone.', 'backbone.backbone.'
    if any(name.startswith('cls_head.') for name in weights):
        for name in [name for name in weights if name.startswith(inner) and not name.startswith(outer)]:
            weights[inner + name] = weights.pop(name)
    return weights


def origin(checkpoint: Dict) -> str:
    """What a checkpoint says of where it came from, in a sentence; empty where it says nothing."""
    experiment = checkpoint.get('meta', {}).get('experiment_name')
    kind = model_settings(checkpoint).get('type')
    said = [f'model {kind}'] * bool(kind) + [f'experiment {experiment}'] * bool(experiment)
    return f'The checkpoint says that it came from: {", ".join(said)}.' if said else ''


def check_weights(wanted: nn.Module, weights: Mapping[str, Tensor], name: str, said: str = '') -> None:
    """Refuses weights that do not fit a module exactly.

    Counters of BatchNorm (``num_batches_tracked``) may be missing, as torch
    allows.

    Args:
        wanted: What they are to be loaded into.
        weights: Name -> tensor.
        name: What the message calls the checkpoint.
        said: What else the message is to say, such as :func:`origin`.

    Raises:
        CheckpointMismatch: If a tensor is missing, unexpected or of another
            shape; tensors are grouped by what their names begin with.

    Example:
        >>> check_weights(nn.Linear(2, 1), {'weight': torch.ones(1, 3)}, 'x.pth')
        Traceback (most recent call last):
        ...
        i2md_mmaction.models.checkpoints.CheckpointMismatch: x.pth does not fit Linear:
          missing 1 of 2: bias
          of another shape 1: weight is (1, 3) in the checkpoint, (1, 2) in the model
    """
    expected = wanted.state_dict()
    missing = [key for key in expected if key not in weights and not key.endswith('num_batches_tracked')]
    unexpected = [key for key in weights if key not in expected]
    shapes = [
        f'{key} is {tuple(weights[key].shape)} in the checkpoint, {tuple(value.shape)} in the model'
        for key, value in expected.items()
        if key in weights and weights[key].shape != value.shape
    ]
    lines = []
    if missing:
        lines.append(f'  missing {len(missing)} of {len(expected)}: {_grouped(missing)}')
    if unexpected:
        lines.append(f'  unexpected {len(unexpected)} of {len(weights)}: {_grouped(unexpected)}')
    if shapes:
        more = f'; and {len(shapes) - _GROUPS} more' if len(shapes) > _GROUPS else ''
        lines.append(f'  of another shape {len(shapes)}: {"; ".join(shapes[:_GROUPS])}{more}')
    if lines:
        text = '\n'.join([f'{name} does not fit {type(wanted).__name__}:', *lines, *filter(None, [said])])
        raise CheckpointMismatch(text)


def _grouped(names: Iterable[str]) -> str:
    """Names in few groups by what they begin with, large groups told apart further."""
    groups, settled = {(): [tuple(name.split('.')) for name in names]}, set()
    while groups.keys() - settled:
        prefix = max(groups.keys() - settled, key=lambda prefix: (len(groups[prefix]), prefix))
        parts: Dict[Tuple[str, ...], list] = {}
        for name in groups[prefix]:
            parts.setdefault(name[: len(prefix) + 1], []).append(name)
        if prefix in parts or len(groups) - 1 + len(parts) > _GROUPS:
            settled.add(prefix)
        else:
            del groups[prefix]
            groups.update(parts)
    if () in groups:
        return ', '.join('.'.join(name) for name in groups[()][:_GROUPS]) + ', ...'
    return ', '.join(
        '.'.join(prefix) + f'.* ({len(found)})' * (prefix not in found)
        for prefix, found in sorted(groups.items())
    )


def load_weights(model: nn.Module, path: Union[str, Path]) -> None:
    """Loads a checkpoint into a model that it must fit exactly.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointMismatch: If it cannot be read or does not fit.
    """
    checkpoint = read_checkpoint(path)
    check_weights(model, checkpoint['state_dict'], str(path), origin(checkpoint))
    model.load_state_dict(checkpoint['state_dict'], strict=False)


def load_backbone(backbone: nn.Module, path: Union[str, Path], stream: str, layout: str) -> None:
    """Loads the query encoder of one stream of a pre-training checkpoint into a backbone.

    Args:
        backbone: The backbone, all of whose tensors the checkpoint must hold.
        path: Checkpoint of a pre-training recognizer.
        stream: Name of the stream, such as ``'joint'``.
        layout: Name of the skeleton layout that the backbone is built for.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointMismatch: If the checkpoint cannot be read, is of another
            layout, has no such stream, or lacks, adds or shapes a tensor
            otherwise.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no checkpoint {path}; set model.pretrained.checkpoint to a file')
    checkpoint = read_checkpoint(path)
    weights = checkpoint['state_dict']
    settings = model_settings(checkpoint)
    trained_on = {**_DEFAULTS, **settings}['layout'] if settings else layout
    if trained_on != layout:
        raise CheckpointMismatch(
            f'{path} was pre-trained on layout {trained_on!r}, the classifier is built for {layout!r}: an '
            f'encoder cannot be transferred to other joints. Pre-train on data of layout {layout!r}, or '
            f'evaluate on data of layout {trained_on!r}'
        )
    prefix = f'streams.{stream}.query.backbone.'
    found = {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}
    if not found:
        streams = sorted({name.split('.')[1] for name in weights if name.startswith('streams.')})
        raise CheckpointMismatch(
            f'{path} has no stream {stream!r}; it has {streams or "none: it is no pre-training checkpoint"}. '
            'Set model.pretrained.stream (by default model.modality) to one that it has'
        )
    remedy = "Make the classifier's config from the one that it was pre-trained with"
    check_weights(backbone, found, f'{path}, stream {stream!r},', f'{origin(checkpoint)} {remedy}'.strip())
    backbone.load_state_dict(found, strict=False)


class StrictLoading(nn.Module):
    """A model that never takes weights in part, unless ``strict=False`` asks torch for just that.

    MMEngine loads checkpoints tensor by tensor and warns of what does not fit:
    its test tool would then report the accuracy of random weights.
    """

    _in_part = False

    def load_state_dict(self, state_dict: Mapping, strict: bool = True, assign: bool = False):
        """As torch's, and refuses what does not fit in few lines.

        Raises:
            CheckpointMismatch: If ``strict`` and the weights do not fit.
        """
        self._in_part = not strict
        try:
            return super().load_state_dict(state_dict, strict, assign)
        finally:
            self._in_part = False

    def _load_from_state_dict(self, state_dict: Mapping, prefix: str, *args) -> None:
        """The way that torch and MMEngine share."""
        if not prefix:
            convert_names(state_dict)
        if not prefix and not self._in_part:
            check_weights(self, state_dict, 'the checkpoint')
        super()._load_from_state_dict(state_dict, prefix, *args)


def check_settings(settings: Mapping, model: Mapping) -> List[str]:
    """What a checkpoint's model has otherwise than a config's, a line each.

    Args:
        settings: From :func:`model_settings`; nothing is compared if it is empty.
        model: Config of the model that the checkpoint is for.
    """
    if not settings:
        return []
    saved, wanted = {**_DEFAULTS, **settings}, {**_DEFAULTS, **model}
    return [
        f'{name} is {saved[name]!r} in the checkpoint and {wanted[name]!r} in the config'
        for name in _DEFAULTS
        if saved[name] != wanted[name]
    ]
