"""The memory of past keys."""

from typing import Dict, Optional, Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


def entry_name(stream: str, entry: str) -> str:
    """Name of a stream's entry in the bank that its method shares among streams."""
    return f'{stream}_{entry}'


class BankView:
    """What a bank holds of one stream, an attribute for each entry; see :meth:`MemoryBank.view`."""

    def __init__(self, **entries: Tensor) -> None:
        for name, values in entries.items():
            setattr(self, name, values)


@MODELS.register_module()
class MemoryBank(nn.Module):
    """Named entries behind one pointer, so that a row is one sample in all of them.

    A first-in-first-out queue (MoCo, section 3.2). Rows start as random unit
    vectors, which serve as negatives until they are overwritten;
    :meth:`nearest` never returns them. The bank is part of the checkpoint, and
    its size need not be a multiple of the batch.

    Args:
        size: Rows N; 16384 in CMD and I2MD, 32768 in AimCLR.
        dims: Entry name -> dimensions.

    Raises:
        ValueError: If the size is not positive.

    Example:
        >>> bank = MemoryBank(size=6, dims=dict(key=4, hidden=8))
        >>> bank.enqueue(key=torch.ones(4, 4), hidden=torch.ones(4, 8))
        >>> bank['key'].shape, int(bank.filled)
        (torch.Size([6, 4]), 4)
    """

    def __init__(self, size: int = 16384, dims: Optional[Dict[str, int]] = None) -> None:
        super().__init__()
        if size <= 0:
            raise ValueError(f'the bank needs a positive size, got {size}')
        self.size = size
        self.dims = dict(dims or dict(key=128))
        for name, dim in self.dims.items():
            self.register_buffer(name, F.normalize(torch.randn(size, dim), dim=1))
        self.register_buffer('pointer', torch.zeros((), dtype=torch.long))
        self.register_buffer('filled', torch.zeros((), dtype=torch.long))

    def __getitem__(self, name: str) -> Tensor:
        """The entry (N, dim) of that name."""
        if name not in self.dims:
            raise KeyError(f'the bank has no entry {name!r}; it has {sorted(self.dims)}')
        return self.get_buffer(name)

    def view(self, stream: str) -> BankView:
        """The entries of one stream: ``bank.view('joint').key`` is (N, D).

        Raises:
            KeyError: If the bank has none of that stream.
        """
        prefix = entry_name(stream, '')
        entries = {
            name[len(prefix) :]: self.get_buffer(name) for name in self.dims if name.startswith(prefix)
        }
        if not entries:
            raise KeyError(f'the bank has no entries of stream {stream!r}; it has {sorted(self.dims)}')
        return BankView(**entries)

    @torch.no_grad()
    def enqueue(self, **entries: Tensor) -> None:
        """Overwrites the oldest rows of all entries.

        A row with a value that is not finite is left out: what stood there stays,
        in all entries. (Without waiting for the device; the run stops when
        :class:`~i2md_mmaction.engine.DeferredRuntimeInfoHook` reads its loss.)

        Args:
            **entries: Every entry of the bank, (B, dim). Of a batch larger than
                the bank the last rows stay.

        Raises:
            ValueError: If an entry is missing or unknown, or batches differ.
        """
        if set(entries) != set(self.dims):
            raise ValueError(f'enqueue needs exactly the entries {sorted(self.dims)}, got {sorted(entries)}')
        batch = {name: len(values) for name, values in entries.items()}
        rows = next(iter(batch.values()))
        if any(count != rows for count in batch.values()):
            raise ValueError(f'all entries need the same number of rows, got {batch}')
        kept = min(rows, self.size)
        index = torch.arange(rows - kept, rows, device=self.pointer.device)
        index = (index + self.pointer) % self.size
        finite = torch.stack([values[rows - kept :].isfinite().all(dim=1) for values in entries.values()])
        finite = finite.all(dim=0)[:, None]
        for name, values in entries.items():
            entry = self[name]
            values = torch.where(finite, values[rows - kept :].to(entry.dtype), entry[index])
            entry.index_copy_(0, index, values)
        self.pointer.add_(rows).remainder_(self.size)
        self.filled.add_(rows).clamp_(max=self.size)

    @torch.no_grad()
    def nearest(self, similarity: Tensor, k: int) -> Tuple[Tensor, Tensor]:
        """The k most similar filled rows.

        Args:
            similarity: (B, N), of a batch to one entry.
            k: Neighbours wanted.

        Returns:
            Row numbers (B, k) and whether each is a filled row (B, k).
        """
        unfilled = torch.arange(self.size, device=similarity.device) >= self.filled
        values, index = similarity.masked_fill(unfilled, -torch.inf).topk(k, dim=1)
        return index, values > -torch.inf

    @torch.no_grad()
    def nearest_mask(self, similarity: Tensor, k: int) -> Tensor:
        """The k most similar filled rows as a mask (B, N); see :meth:`nearest`."""
        index, found = self.nearest(similarity, k)
        return torch.zeros_like(similarity, dtype=torch.bool).scatter(1, index, found)

    def extra_repr(self) -> str:
        return f'size={self.size}, dims={self.dims}'
