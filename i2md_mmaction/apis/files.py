"""Files of embeddings and predictions."""

import csv
import io
import shutil
from pathlib import Path
from typing import Iterable, List, Sequence, Union

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from ..io import write_arrays, write_file
from .classifier import Predictions
from .encoder import Embeddings


def write_embeddings(embeddings: Embeddings, path: Union[str, Path]) -> Path:
    """Writes embeddings in the format that the path's suffix names.

    ========  ==============================================================
    suffix    content
    ========  ==============================================================
    ``.npz``  ``names``, ``labels``, ``frames``, each stream and ``joined``
    ``.csv``  a row a clip: name, label, first and last frame, and the values
              of all streams, as ``joint_0`` and so on
    none      a new folder for TensorBoard's embedding projector
    ========  ==============================================================

    Returns:
        The path.

    Raises:
        ValueError: If the suffix is another one.
        FileExistsError: If a folder is to be made where something is.

    Example:
        >>> found = Embeddings(['a'], np.array([2]), np.array([[0, 9]]), dict(joint=np.ones((1, 4))))
        >>> path = write_embeddings(found, getfixture('tmp_path') / 'found.csv')
        >>> print(path.read_text().strip())
        name,label,first,last,joint_0,joint_1,joint_2,joint_3
        a,2,0,9,1.0,1.0,1.0,1.0
    """
    path = Path(path)
    if path.suffix == '.npz':
        about = dict(names=np.array(embeddings.names), labels=embeddings.labels, frames=embeddings.frames)
        return write_arrays(path, **about, **embeddings.streams, joined=embeddings.joined)
    if path.suffix == '.csv':
        names = [f'{name}_{n}' for name, of in embeddings.streams.items() for n in range(of.shape[1])]
        values = np.concatenate(list(embeddings.streams.values()), axis=1)
        rows = ((*row, *map(float, one)) for row, one in zip(_rows(embeddings), values))
        return write_file(path, _csv([*_HEADER, *names], rows))
    if path.suffix:
        raise ValueError(f'{path}: write to .npz, .csv, or a folder for the embedding projector')
    if path.exists():
        raise FileExistsError(f'{path}: the embedding projector gets a folder of its own; name a new one')
    return _write_projector(embeddings, path)


def write_predictions(predictions: Predictions, path: Union[str, Path], top: int = 5) -> Path:
    """Writes the likeliest classes of each clip as CSV, or all probabilities as ``.npz``.

    Returns:
        The path.

    Raises:
        ValueError: If the suffix is another one.

    Example:
        >>> said = Predictions(['a'], np.array([[0, 9]]), ['sit', 'stand'], np.array([[0.25, 0.75]]))
        >>> print(write_predictions(said, getfixture('tmp_path') / 'said.csv', top=1).read_text().strip())
        name,first,last,class_1,probability_1
        a,0,9,stand,0.75
    """
    path = Path(path)
    if path.suffix == '.npz':
        return write_arrays(
            path,
            names=np.array(predictions.names),
            frames=predictions.frames,
            classes=np.array(predictions.classes),
            probabilities=predictions.probabilities,
        )
    if path.suffix != '.csv':
        raise ValueError(f'{path}: write to .csv or .npz')
    top = min(top, len(predictions.classes))
    header = ['name', 'first', 'last']
    for rank in range(1, top + 1):
        header += [f'class_{rank}', f'probability_{rank}']
    rows = (
        (name, *map(int, frames), *(value for pair in likeliest for value in pair))
        for name, frames, likeliest in zip(predictions.names, predictions.frames, predictions.top(top))
    )
    return write_file(path, _csv(header, rows))


#: What is said of a clip beside its embedding.
_HEADER = ('name', 'label', 'first', 'last')


def _rows(embeddings: Embeddings) -> List[Sequence]:
    """What is known of each clip, in the order of the header."""
    rows = zip(embeddings.names, embeddings.labels, embeddings.frames)
    return [(name, int(label), *map(int, frames)) for name, label, frames in rows]


def _csv(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """The content of a CSV file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def _write_projector(embeddings: Embeddings, path: Path) -> Path:
    """Writes each stream and all together for the projector, whole or not at all."""
    partial = path.with_name(f'.{path.name}.partial')
    about = _rows(embeddings)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with SummaryWriter(str(partial)) as writer:
            for name, values in {**embeddings.streams, 'joined': embeddings.joined}.items():
                writer.add_embedding(values, metadata=about, metadata_header=list(_HEADER), tag=name)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return path
