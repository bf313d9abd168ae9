"""What I2MD's clusters hold: neighbours of a sequence's own class, and of its own performer.

python projects/small_benchmark/neighbors.py CHECKPOINT [CHECKPOINT ...]

Neighbours are sought as in training, but under the view of evaluation: those of each training sequence
among as many others as the bank holds, or half of all, drawn at random 20 times, by hidden embeddings
of each stream.
"""

import argparse
import re
from pathlib import Path
from typing import Sequence

import torch

from i2md_mmaction.apis import SkeletonEncoder
from i2md_mmaction.evaluation import knn_search
from i2md_mmaction.protocols.report import markdown_table


def shares(features: Sequence[torch.Tensor], marks: torch.Tensor, k: int, size: int) -> torch.Tensor:
    """Shares (marks,) of neighbours with a sequence's own marks.

    Args:
        features: (S, H) of each stream.
        marks: (marks, S), such as its class.
        k: Neighbours of a sequence.
        size: Sequences among which they are sought.
    """
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(20):
        order = torch.randperm(marks.shape[1], generator=generator)
        sought, asking = order[:size], order[size:]
        for rows in features:
            nearest = sought[knn_search(rows[asking], rows[sought], k)[1]]
            found.append((marks[:, nearest] == marks[:, asking, None]).double().mean(dim=(1, 2)))
    return torch.stack(found).mean(dim=0)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoints', type=Path, nargs='+', metavar='CHECKPOINT', help='of I2MD')
    args = parser.parse_args(argv)
    rows = []
    for checkpoint in args.checkpoints:
        encoder = SkeletonEncoder(checkpoint)
        data = encoder.config.train_dataloader.dataset
        found = encoder.encode(data.ann_file, split=data.split)
        performers = [re.search(r's\d+(s\d+)?', name)[0] for name in found.names]
        numbers = [sorted(set(performers)).index(performer) for performer in performers]
        marks = torch.stack((torch.from_numpy(found.labels), torch.tensor(numbers)))
        features = [torch.from_numpy(stream) for stream in found.streams.values()]
        k, size = encoder.model.num_neighbors, min(encoder.model.bank.size, len(numbers) // 2)
        alike = (marks[:, :, None] == marks[:, None]).double().mean(dim=(1, 2))
        chance = (alike * len(numbers) - 1) / (len(numbers) - 1)  # of the others
        cells = zip(shares(features, marks, k, size), chance)
        rows.append([data.name, str(k), str(size), *(f'{100 * a:.0f} % ({100 * b:.0f} %)' for a, b in cells)])
    print(markdown_table(['data', 'neighbours', 'of', 'own class (chance)', 'own performer (chance)'], rows))
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
