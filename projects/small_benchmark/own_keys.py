"""I2MD whose samples do not meet themselves among their neighbours: a remedy that was looked at."""

from typing import Dict, Optional, Tuple
from zlib import crc32

import torch
from mmaction.registry import MODELS
from mmengine.dist import get_world_size
from torch import Tensor

from i2md_mmaction.models import I2MD


@MODELS.register_module()
class I2MDOtherNeighbors(I2MD):
    """I2MD whose cluster branch leaves out a sample's own keys of earlier epochs.

    The bank keeps no names, so that this remembers beside it whose key each
    row is. It holds for one process, which is all that the small benchmark has.

    Args:
        **kwargs: Those of :class:`I2MD`. Samples need their ``frame_dir``.

    Raises:
        RuntimeError: If there are several processes.
    """

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        if get_world_size() > 1:
            raise RuntimeError('I2MDOtherNeighbors cannot tell whose keys come from other processes; use one')
        self.register_buffer('owners', torch.full((self.bank.size,), -1))
        self._samples = self.owners[:0]

    def neighbors(self, similarity: Tensor, own: Tensor, hidden: Tensor) -> Tuple[Tensor, Tensor]:
        """As :meth:`I2MD.neighbors`, without the rows that are a sample's own."""
        theirs = self._samples[:, None] == self.owners
        return super().neighbors(similarity.masked_fill(theirs, -torch.inf), own, hidden)

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """As :meth:`I2MD.loss`, of samples with a name."""
        names = [crc32(sample.frame_dir.encode()) for sample in data_samples]
        self._samples = torch.tensor(names, device=self.owners.device)
        return super().loss(inputs, data_samples)

    def enqueue_keys(self) -> None:
        """As :meth:`I2MD.enqueue_keys`; notes whose keys the bank takes."""
        rows = self.bank.pointer + torch.arange(len(self._samples), device=self.owners.device)
        self.owners[rows % self.bank.size] = self._samples
        super().enqueue_keys()
