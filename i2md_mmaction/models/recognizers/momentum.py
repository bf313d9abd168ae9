"""Methods with keys: momentum encoders and a memory bank of what they made of past samples."""

from collections import defaultdict
from typing import Dict, List, Tuple

import torch
from mmaction.registry import MODELS
from mmengine.dist import all_gather
from torch import Tensor

from ..encoder import MomentumStream
from ..memory_bank import entry_name
from .base import SelfSupervised


class MomentumContrast(SelfSupervised):
    """Streams whose queries are compared with keys, of this batch and of past ones.

    Source: MoCo, section 3. A method adds ``loss()``, which hands the keys of
    a training step to :meth:`stash_keys`. Once the optimiser has stepped,
    :class:`~i2md_mmaction.engine.MoCoMemoryHook` calls :meth:`update_encoders`
    and :meth:`enqueue_keys`.

    Args:
        bank: Config of the memory bank; its entries are the method's.
        momentum: m of the key encoders, 0.999 in the papers. It is read at
            each update, so that
            :class:`~i2md_mmaction.engine.MomentumScheduleHook` can move it.
        **kwargs: As for :class:`SelfSupervised`.

    Raises:
        ValueError: If the momentum does not lie between 0 and 1.
    """

    stream_type = MomentumStream
    num_views = 2
    #: Entries of the bank that each stream has.
    entries: Tuple[str, ...] = ('key',)

    def __init__(
        self,
        bank: dict = dict(type='MemoryBank'),  # noqa: B006
        momentum: float = 0.999,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(f'momentum must lie between 0 and 1, got {momentum}')
        self.momentum = momentum
        self.bank = MODELS.build(dict(bank, dims=self.bank_dims()))
        self._stashed: Dict[str, List[Tensor]] = defaultdict(list)

    def bank_dims(self) -> Dict[str, int]:
        """Dimensions of the bank's entries, by their names in it."""
        dims = {}
        for name, stream in self.streams.items():
            for entry in self.entries:
                encoder = stream.query
                dim = encoder.embed_dims if entry == 'hidden' else encoder.projector.out_channels
                dims[entry_name(name, entry)] = dim
        return dims

    def stash_keys(self, stream: str, **entries: Tensor) -> None:
        """Keeps what a step made for the bank; only while training, and with gradients.

        Args:
            stream: The stream that they are of.
            **entries: (B, dim), every entry that the stream has in the bank.

        Raises:
            RuntimeError: If nothing ever takes them into the bank.
        """
        if not (self.training and torch.is_grad_enabled()):
            return
        for entry, values in entries.items():
            stash = self._stashed[entry_name(stream, entry)]
            stash.append(values.detach())
            rows = sum(len(values) for values in stash)
            if len(stash) > 1 and rows > 2 * self.bank.size:  # one batch may exceed the bank
                raise RuntimeError(
                    'keys pile up and the bank never changes: add memory=dict(type="MoCoMemoryHook") '
                    'to default_hooks'
                )

    def update_encoders(self) -> None:
        """Moves the key encoders towards the query encoders."""
        for stream in self.streams.values():
            stream.update_key(self.momentum)

    @torch.no_grad()
    def enqueue_keys(self) -> None:
        """Enqueues what was stashed, of all ranks."""
        if self._stashed:
            batch = {name: torch.cat(values) for name, values in self._stashed.items()}
            self._stashed.clear()
            self.bank.enqueue(**{name: torch.cat(all_gather(values)) for name, values in batch.items()})
