"""What a run of a study leaves: one small JSON file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Tuple, Union

import numpy as np

from ..io import write_file

#: Name of all streams together, beside theirs.
ALL = 'all'
#: Stands for the mean over the single streams, beside their names.
EACH = 'each'
#: Protocol -> stream -> one value for each.
Scores = Dict[str, Dict[str, float]]


@dataclass(frozen=True)
class Result:
    """The outcome of one run: which test samples were classified rightly, and what it took.

    Args:
        encoder: Name of the encoder in the grid.
        method: Name of the method, or of a floor or ceiling, in the grid.
        data: Name of the data set in the grid.
        seed: Seed of the run.
        fold: Name of the fold; None where the data set has no folds.
        samples: Number of test samples.
        names: Digest of their names in order, so that only like is paired with
            like.
        right: Protocol -> stream (``'all'`` for all together) -> which samples
            were classified rightly, as bits in hexadecimal digits.
        cost: Parameters, GFLOPs a sample, ms a step, seconds, epochs, steps, as
            far as they apply.
        source: Commit, digest of the resolved config and its data, processor,
            threads and versions.

    Example:
        >>> right = dict(knn=dict(all=pack([True, False, True])))
        >>> result = Result('gru', 'moco', 'mine', 0, samples=3, names='', right=right)
        >>> result.name, result.correct('knn').tolist(), result.accuracy('knn').round(1)
        ('mine/gru/moco_seed0', [True, False, True], np.float64(66.7))
    """

    encoder: str
    method: str
    data: str
    seed: int
    fold: Optional[str] = None
    samples: int = 0
    names: str = ''
    right: Dict[str, Dict[str, str]] = field(default_factory=dict)
    cost: Dict[str, float] = field(default_factory=dict)
    source: Dict[str, Union[str, int]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name, which is that of its file without the suffix."""
        return run_name(self.encoder, self.method, self.data, self.seed, self.fold)

    def correct(self, protocol: str, stream: str = ALL) -> np.ndarray:
        """Which of the test samples were classified rightly, (samples,) of booleans.

        Raises:
            KeyError: If the run has not been evaluated so.
        """
        bits = np.frombuffer(bytes.fromhex(self.right[protocol][stream]), np.uint8)
        return np.unpackbits(bits, count=self.samples).astype(bool)

    def accuracy(self, protocol: str, stream: str = ALL) -> float:
        """Top-1 accuracy in percent."""
        return 100 * self.correct(protocol, stream).mean()

    def save(self, folder: Union[str, Path]) -> Path:
        """Writes it below a folder, the accuracies beside it for who reads the file."""
        accuracy = {
            protocol: {stream: round(self.accuracy(protocol, stream), 2) for stream in streams}
            for protocol, streams in self.right.items()
        }
        content = json.dumps(dict(asdict(self), accuracy=accuracy), indent=1)
        return write_file(Path(folder, f'{self.name}.json'), content + '\n')


def run_name(encoder: str, method: str, data: str, seed: int, fold: Optional[str] = None) -> str:
    """The name of a run, by which its files are found.

    Example:
        >>> run_name('gru', 'moco', 'sbu', 1, 'fold2')
        'sbu/gru/moco_seed1_fold2'
    """
    return f'{data}/{encoder}/{method}_seed{seed}' + (f'_{fold}' if fold else '')


def pack(correct) -> str:
    """Booleans as bits in hexadecimal digits."""
    return np.packbits(np.asarray(correct, dtype=bool)).tobytes().hex()


def load_result(path: Union[str, Path]) -> Result:
    """Reads the file of a run.

    Raises:
        ValueError: If it is no such file, or its accuracies are not those of its bits.
    """
    try:
        content: Mapping = json.loads(Path(path).read_text(encoding='utf-8'))
        stated = content.pop('accuracy')
        result = Result(**content)
        for protocol, streams in stated.items():
            for stream, accuracy in streams.items():
                if abs(result.accuracy(protocol, stream) - accuracy) > 0.005 + 1e-9:
                    raise ValueError(f'{protocol} {stream}: {accuracy} is not the accuracy of its bits')
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{path} is no result of a study: {error}; take it away and run it again') from error
    return result


def load_results(folder: Union[str, Path]) -> List[Result]:
    """Reads all results below a folder, in the order of their names."""
    return [load_result(path) for path in sorted(Path(folder).glob('*/*/*.json'))]


def join_folds(results: List[Result]) -> List[Result]:
    """One result for all folds of a seed, whose test samples follow one another.

    A fold's runs are weighted by its samples then. Seeds of which a fold that
    others have is missing are left out, since their mean would be of other samples.

    Returns:
        The results without folds as they are, and the joined ones.
    """
    joined: List[Result] = [result for result in results if result.fold is None]
    groups: Dict[Tuple[str, ...], List[Result]] = {}
    for result in results:
        if result.fold is not None:
            groups.setdefault((result.encoder, result.method, result.data, result.seed), []).append(result)
    for (*_, data, _), group in groups.items():
        folds = {result.fold for result in results if result.data == data}
        if {result.fold for result in group} != folds:
            continue
        group = sorted(group, key=lambda result: result.fold)
        right = {
            protocol: {
                stream: pack(np.concatenate([part.correct(protocol, stream) for part in group]))
                for stream in streams
            }
            for protocol, streams in group[0].right.items()
        }
        cost = {
            key: float(np.mean([part.cost[key] for part in group]))
            for key in group[0].cost
            if all(key in part.cost for part in group)
        }
        first = group[0]
        joined.append(
            Result(
                first.encoder,
                first.method,
                first.data,
                first.seed,
                samples=sum(part.samples for part in group),
                names=' '.join(part.names for part in group),
                right=right,
                cost=cost,
                source=first.source,
            )
        )
    return joined
