"""Which augmentations a batch met, and with what, noted while they run and without another draw."""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import torch
from torch import Tensor


class Applied(NamedTuple):
    """One augmentation of a batch."""

    #: The :class:`.Augmentation`.
    augmentation: Any
    #: What it drew, batched along B.
    drawn: Dict[str, Any]
    #: (B,), the samples that it was applied to; None for all.
    chosen: Optional[Tensor]

    def describe(self, sample: int = 0) -> Optional[str]:
        """The augmentation of one sample in words; None if it was not applied to it."""
        if self.chosen is not None and not self.chosen[sample]:
            return None
        values = {name: value[sample] for name, value in self.drawn.items() if torch.is_tensor(value)}
        return ' '.join(
            filter(None, (type(self.augmentation).__name__, self.augmentation.describe(**values)))
        )


_RECORD: ContextVar[Optional[List[Applied]]] = ContextVar('record', default=None)


@contextmanager
def recording() -> Iterator[List[Applied]]:
    """Notes every augmentation that runs inside the block, in order.

    Example:
        >>> from i2md_mmaction.augmentations import Shear, TemporalFlip
        >>> with recording() as applied:
        ...     for augmentation in (TemporalFlip(p=0.0), TemporalFlip(p=1)):
        ...         _ = augmentation.augment(torch.rand(2, 1, 9, 25, 3), torch.tensor([9, 9]))
        >>> [one.describe(sample=0) for one in applied]
        [None, 'TemporalFlip']
    """
    applied: List[Applied] = []
    token = _RECORD.set(applied)
    try:
        yield applied
    finally:
        _RECORD.reset(token)


def note(augmentation: Any, drawn: Dict[str, Any], chosen: Optional[Tensor] = None) -> None:
    """Notes an augmentation, if anybody asked."""
    record = _RECORD.get()
    if record is not None:
        record.append(Applied(augmentation, drawn, chosen))


@contextmanager
def only_for(chosen: Tensor) -> Iterator[None]:
    """Notes augmentations inside the block for some samples (B,) alone: the others' results are left out."""
    record = _RECORD.get()
    before = 0 if record is None else len(record)
    yield
    for place in range(before, 0 if record is None else len(record)):
        one = record[place]
        record[place] = one._replace(chosen=chosen if one.chosen is None else chosen & one.chosen)


def numbers_in_words(**values: Tensor) -> str:
    """What was drawn for one sample, as far as a few numbers say it.

    Example:
        >>> drawn = dict(start=torch.tensor(3), angles=torch.tensor([0.5, 0.01]), noise=torch.rand(2, 9, 25))
        >>> numbers_in_words(**drawn)
        'start 3, angles 0.5 0.01'
    """
    small = {name: value.flatten() for name, value in values.items() if value.numel() <= 3}
    return ', '.join(
        ' '.join((name, *(f'{number:.3g}' for number in small[name].tolist()))) for name in small
    )
