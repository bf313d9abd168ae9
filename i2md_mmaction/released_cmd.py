"""Checkpoints of the released CMD code to ours, and back, with nothing lost."""

import re
from typing import Callable, Dict, List, Tuple

import torch
from torch import Tensor

_SIDES = {'q': 'query', 'k': 'key'}
_STREAMS = {'': 'joint', '_motion': 'motion', '_bone': 'bone'}
_DIRECTIONS = {'': 'forward_gru', '_reverse': 'reverse_gru'}
#: What a checkpoint holds beside the weights is carried along under this name.
_CARRIED = 'carried'


class UnknownCheckpoint(ValueError):
    """A checkpoint that holds what the conversion does not know."""


def _inverse(table: Dict[str, str]) -> Dict[str, str]:
    return {value: key for key, value in table.items()}


def _choices(names) -> str:
    return '(' + '|'.join(sorted(names, key=len, reverse=True)) + ')'


_OFFICIAL = re.compile(f'encoder_{_choices(_SIDES)}{_choices(_STREAMS)}\\.(.+)')
_OURS = re.compile(f'streams\\.{_choices(_STREAMS.values())}\\.{_choices(_SIDES.values())}\\.(.+)')
_OFFICIAL_GRU = re.compile(f'encoder\\.gru\\.((?:weight|bias)_(?:ih|hh))_l(\\d+){_choices(_DIRECTIONS)}')
_OUR_GRU = re.compile(f'backbone\\.gru\\.(\\d+)\\.{_choices(_DIRECTIONS.values())}\\.(.+)_l0')


def _part_to_ours(part: str) -> str:
    """Translates a name within an encoder; unknown ones come back empty."""
    gru = _OFFICIAL_GRU.fullmatch(part)
    if gru:
        kind, layer, direction = gru.groups()
        return f'backbone.gru.{layer}.{_DIRECTIONS[direction]}.{kind}_l0'
    if part.startswith('input_norm.'):
        return f'backbone.{part}'
    head = re.fullmatch(r'fc\.(?:([02])\.)?(weight|bias)', part)
    return f'projector.layers.{head[1] or 0}.{head[2]}' if head else ''


def gru_parameter(part: str) -> str:
    """Name of our ``backbone.gru...`` parameter in one bidirectional ``nn.GRU``; empty for others."""
    gru = _OUR_GRU.fullmatch(part)
    if not gru:
        return ''
    layer, direction, kind = gru.groups()
    return f'{kind}_l{layer}{_inverse(_DIRECTIONS)[direction]}'


def _part_to_official(part: str, linear_head: bool) -> str:
    """The way back of :func:`_part_to_ours`."""
    gru = gru_parameter(part)
    if gru:
        return f'encoder.gru.{gru}'
    if part.startswith('backbone.input_norm.'):
        return part[len('backbone.') :]
    head = re.fullmatch(r'projector\.layers\.([02])\.(weight|bias)', part)
    if not head:
        return ''
    return f'fc.{head[2]}' if linear_head else f'fc.{head[1]}.{head[2]}'


def _translate(
    weights: Dict[str, Tensor], pattern: re.Pattern, rename: Callable[..., str]
) -> Tuple[Dict[str, Tensor], List[str]]:
    """Renames the encoders' weights; returns them and the names it does not know."""
    translated, unknown = {}, []
    for name, value in weights.items():
        match = pattern.fullmatch(name)
        new = match and rename(*match.groups())
        if new:
            translated[new] = value
        else:
            unknown.append(name)
    return translated, unknown


def _refuse(unknown: List[str], layout: str) -> None:
    if unknown:
        raise UnknownCheckpoint(
            f'{len(unknown)} tensors are not of {layout}: {sorted(unknown)[:8]}; '
            'this conversion is for pre-training checkpoints of CMD with the BiGRU'
        )


def official_to_ours(checkpoint: dict) -> dict:
    """Converts a checkpoint of the released CMD code.

    The bank takes one pointer for all streams, and counts as filled unless the
    checkpoint came from :func:`ours_to_official`. Epoch and optimiser state are
    carried along in ``meta``, for the way back.

    Args:
        checkpoint: Dict with ``state_dict``; its names may start with
            ``module.``.

    Returns:
        A checkpoint for ``CMD`` or ``SkeletonMoCo`` with ``BiGRU``.

    Raises:
        UnknownCheckpoint: If it holds a tensor of another layout, or its
            queues are not in step.
    """
    if 'state_dict' not in checkpoint:
        raise UnknownCheckpoint(f"no 'state_dict' among {sorted(checkpoint)}; not a checkpoint of CMD")
    prefixed = all(name.startswith('module.') for name in checkpoint['state_dict'])
    weights = {name[7 * prefixed :]: value for name, value in checkpoint['state_dict'].items()}

    def rename(side: str, suffix: str, part: str) -> str:
        new = _part_to_ours(part)
        return new and f'streams.{_STREAMS[suffix]}.{_SIDES[side]}.{new}'

    translated, rest = _translate(weights, _OFFICIAL, rename)
    queues = {name: suffix for suffix in _STREAMS for name in (f'queue{suffix}', f'queue_ptr{suffix}')}
    _refuse([name for name in rest if name not in queues], 'the released CMD layout')
    pointers = [int(weights[name]) for name in rest if name.startswith('queue_ptr')]
    if len(set(pointers)) > 1:
        raise UnknownCheckpoint(f'the queues are not in step, their pointers are {pointers}; ours share one')
    for name in rest:
        if not name.startswith('queue_ptr'):
            translated[f'bank.{_STREAMS[queues[name]]}_key'] = weights[name].T.contiguous()
    ours = dict(checkpoint.get(_CARRIED, {}))
    filled = ours.pop('filled', None)
    if pointers:
        size = len(_banks(translated)[0])
        translated['bank.pointer'] = torch.tensor(pointers[0])
        translated['bank.filled'] = torch.tensor(size) if filled is None else filled
    meta = dict(ours.pop('meta', {}))
    if not ours.pop('native', False):
        beside = {key: value for key, value in checkpoint.items() if key not in ('state_dict', _CARRIED)}
        meta['official'] = dict(beside, prefixed=prefixed)
    return dict(meta=meta, state_dict=translated, **ours)


def ours_to_official(checkpoint: dict) -> dict:
    """Converts a checkpoint of ours to the layout of the released CMD code.

    What the released layout has no place for is carried along under
    ``'carried'``, for the way back.

    Raises:
        UnknownCheckpoint: If it is not of ``CMD`` or ``SkeletonMoCo`` with the
            default ``BiGRU``.
    """
    weights = checkpoint['state_dict']
    linear_head = not any('.projector.layers.2.' in name for name in weights)

    def rename(stream: str, side: str, part: str) -> str:
        new = _part_to_official(part, linear_head)
        return new and f'encoder_{_inverse(_SIDES)[side]}{_inverse(_STREAMS)[stream]}.{new}'

    translated, rest = _translate(weights, _OURS, rename)
    keys = {f'bank.{stream}_key': suffix for suffix, stream in _STREAMS.items()}
    known = (*keys, 'bank.pointer', 'bank.filled')
    _refuse([name for name in rest if name not in known], 'CMD with the default BiGRU')
    for name, suffix in keys.items():
        if name in weights:
            translated[f'queue{suffix}'] = weights[name].T.contiguous()
            translated[f'queue_ptr{suffix}'] = weights['bank.pointer'].reshape(1)
    meta = dict(checkpoint.get('meta', {}))
    official = meta.pop('official', None)
    others = {key: value for key, value in checkpoint.items() if key not in ('meta', 'state_dict')}
    carried = dict(others, meta=meta) if others or meta else {}
    if 'bank.filled' in weights and int(weights['bank.filled']) < len(_banks(weights)[0]):
        carried['filled'] = weights['bank.filled']
    prefix = 'module.' if (official or {}).get('prefixed') else ''
    converted = {key: value for key, value in (official or {}).items() if key != 'prefixed'}
    converted['state_dict'] = {f'{prefix}{name}': value for name, value in translated.items()}
    if official is None:
        # The released code reads an epoch from every checkpoint.
        converted['epoch'] = meta.get('epoch', 0)
        carried['native'] = True
    return {**converted, _CARRIED: carried} if carried else converted


def _banks(weights: Dict[str, Tensor]) -> List[Tensor]:
    return [value for name, value in weights.items() if name.startswith('bank.') and value.dim() == 2]
