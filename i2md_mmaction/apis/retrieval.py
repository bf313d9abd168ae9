"""The clips of a data set that are nearest to one clip."""

import pickle
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
import torch

from ..datasets import AnnotationError, class_label, class_names
from ..datasets.annotation_file import AnnotationFile
from ..datasets.annotations import sample_labels, sample_names, take_samples
from ..evaluation.knn import check_neighbors, knn_search
from ..evaluation.retrieval_plots import RetrievedClip, plot_retrieval
from ..io import load_pickle
from .clips import Clips, GivenSkeletons, open_clips
from .encoder import SkeletonEncoder


@dataclass(frozen=True)
class Retrieval:
    """A clip and its nearest neighbours.

    Args:
        query: The clip that was asked with.
        neighbors: What was found, the nearest first.
        layout: Name of their skeleton layout.
    """

    query: RetrievedClip
    neighbors: List[RetrievedClip]
    layout: str

    def draw(self, path: Union[str, Path], title: str = 'Nearest clips') -> Path:
        """Draws them; arguments as for :func:`~i2md_mmaction.evaluation.retrieval_plots.plot_retrieval`."""
        return plot_retrieval(self.query, self.neighbors, self.layout, path, title)


def retrieve(
    encoder: SkeletonEncoder,
    data: Clips,
    query: Clips,
    k: int = 5,
    split: Optional[str] = None,
    streams: Optional[Sequence[str]] = None,
) -> Retrieval:
    """Finds the clips of a data set that are nearest to one clip, by cosine.

    The search is exact. The query itself is never among its neighbours: a clip
    of the data is known by its name, a clip from elsewhere by its joints.

    Args:
        encoder: The encoder.
        data: Where to search, as for :meth:`.SkeletonEncoder.encode`.
        query: The name of a clip of ``data``, of whichever split, or one clip:
            joints (M, T, V, C) or (T, V, C), an annotation, or a file of either:
            ``.npy``, a pickle of one annotation, or an annotation file of one.
        k: Neighbours.
        split: Split of ``data`` to search; all of it by default.
        streams: Streams whose cosines are averaged; all by default.

    Raises:
        AnnotationError: If there is no such clip or split, or a clip must not be
            used; the message names it, what is wrong and the remedy.
        ValueError: If k exceeds the clips to search, or a stream is unknown.

    Example:
        >>> encoder = SkeletonEncoder('work_dirs/cmd_demo/epoch_60.pth')  # doctest: +SKIP
        >>> found = retrieve(encoder, 'data/demo.pkl', 'S001C001P001R001A001', k=3)  # doctest: +SKIP
        >>> [(clip.name, clip.class_name) for clip in found.neighbors][:1]  # doctest: +SKIP
        [('S001C002P001R001A001', 'wave')]
        >>> found.draw('retrieval.png')  # doctest: +SKIP
    """
    file = open_clips(data)
    places = file.select(split)
    asked, own = find_query(query, file)
    places = [place for place in places if place not in own]
    if not places:
        raise AnnotationError(f'{file.path}: split {split!r} has no clip to find; choose another')
    check_neighbors(k, len(places))
    try:
        embedded = encoder.encode(asked, streams)
    except AnnotationError as error:
        raise AnnotationError(f'query {str(error).splitlines()[-1].strip()}') from error
    bank = encoder.encode(take_clips(file, places), streams)
    cosines, rows = knn_search(torch.from_numpy(embedded.joined), torch.from_numpy(bank.joined), k)
    nearest = encoder.load(take_clips(file, [places[row] for row in rows[0]])).dataset
    first = encoder.load(asked).dataset
    names = class_names(file.content, first.layout.name, 1 + max(sample_labels(file.annotations)))
    return Retrieval(
        _shown(first, 0, names),
        [_shown(nearest, number, names, cosine) for number, cosine in enumerate(cosines[0].tolist())],
        first.layout.name,
    )


def _shown(
    dataset: GivenSkeletons, number: int, names: Optional[List[str]], similarity: Optional[float] = None
) -> RetrievedClip:
    """A clip of a data set as pictures show it; ``names`` are those of the classes."""
    label = int(dataset.get_data_info(number)['label'])
    class_name = '' if label == -1 else class_label(label, names)
    keypoint = np.asarray(dataset[number]['inputs'])
    return RetrievedClip(dataset.names[number] or 'unnamed', keypoint, label, class_name, similarity)


def find_query(query: Clips, file: AnnotationFile) -> Tuple[AnnotationFile, List[int]]:
    """The clip that a user asks with, alone, and where it stands in the file that is searched.

    Args:
        query: As for :func:`retrieve`.
        file: From :func:`.open_clips`.

    Raises:
        AnnotationError: If it is neither the name of a clip of the file nor one
            clip.
    """
    names = sample_names(file.annotations)
    if isinstance(query, str) and query in names:
        own = [place for place, name in enumerate(names) if name == query]
        if len(own) > 1:
            raise AnnotationError(
                f'{file.path}: {len(own)} clips are called {query!r}; ask with a file of one'
            )
        return take_clips(file, own), own
    if isinstance(query, (str, Path)):
        if not Path(query).exists():
            close = get_close_matches(str(query), [name for name in names if name], n=3)
            hint = f'; close are {", ".join(close)}' if close else ''
            raise AnnotationError(f'{file.path} has no clip {str(query)!r}, and there is no such file{hint}')
        asked = read_clip(Path(query))
    else:
        asked = open_clips(query)
    if len(asked.annotations) != 1:
        raise AnnotationError(
            f'query {asked.path}: {len(asked.annotations)} clips where one is expected; to ask with one of '
            'several, search their file and give its name'
        )
    joints = np.asarray(asked.annotations[0].get('keypoint'))
    own = [
        place for place, clip in enumerate(file.annotations) if np.array_equal(clip.get('keypoint'), joints)
    ]
    return asked, own


def read_clip(path: Path) -> AnnotationFile:
    """Opens a file of one clip.

    Args:
        path: ``.npy`` of joints, a pickle of an annotation, or an annotation
            file, packed or not.

    Raises:
        AnnotationError: If it is empty, or none of these.

    Example:
        >>> path = getfixture('tmp_path') / 'wave.npy'
        >>> np.save(path, np.ones((9, 25, 3)))
        >>> read_clip(path).annotations[0]['frame_dir']
        'wave'
    """
    if path.is_dir():
        return open_clips(path)
    if not path.stat().st_size:
        raise AnnotationError(f'query {path}: the file is empty')
    try:
        content = np.load(path, allow_pickle=False) if path.suffix == '.npy' else load_pickle(path)
        if isinstance(content, (str, bytes)):
            raise AnnotationError('it holds text')
        clips = open_clips(content)
        if isinstance(content, np.ndarray):
            clips.annotations[0]['frame_dir'] = path.stem
        return AnnotationFile(path, content=clips.content)
    except (pickle.UnpicklingError, ValueError) as error:
        raise AnnotationError(
            f'query {path}: {error}; expected one clip: joints (persons, frames, joints, coordinates) or '
            '(frames, joints, coordinates) as .npy, or an annotation as a pickle'
        ) from error


def take_clips(file: AnnotationFile, places: Sequence[int]) -> AnnotationFile:
    """A file with some of its clips alone, in that order."""
    annotations = take_samples(file.annotations, places)
    return AnnotationFile(file.path, content={**file.content, 'split': {}, 'annotations': annotations})
