"""Annotation files that are open: each read and checked once, for all data sets of a run."""

import os
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union
from weakref import WeakValueDictionary

from .annotations import (
    AnnotationError,
    Expected,
    Problem,
    check_annotations,
    check_content,
    load_annotations,
    sample_names,
    take_samples,
)
from .packed import INDEX


class AnnotationFile:
    """An annotation file, its samples checked when they are first asked for.

    Training, validation and the bank of 1-NN name the same file; each of them
    reading and checking it would triple start-up and memory. Workers that are
    forked share it, too. Use :func:`open_annotations`.

    Args:
        path: As for :func:`.annotations.load_annotations`.
        content: What is in it, where that is in memory and no file is read; errors still name ``path``.

    Raises:
        AnnotationError: If the file is absent or is not such a file.
    """

    def __init__(self, path: Union[str, Path], content: Any = None) -> None:
        self.path = path
        self.content = load_annotations(path) if content is None else check_content(content, path)
        self.annotations: Sequence[Dict] = self.content['annotations']
        self._names = sample_names(self.annotations)
        self._checked: Dict[Expected, Dict[int, Optional[Problem]]] = {}

    def select(self, split: Optional[str]) -> List[int]:
        """Places of the samples of a split, in the file's order; all of them for None.

        Raises:
            AnnotationError: If the split is unknown, or names a sample that the
                file does not hold, or a name stands twice.
        """
        if split is None:
            return list(range(len(self.annotations)))
        splits = self.content.get('split', {})
        if split not in splits:
            raise AnnotationError(
                f'{self.path} has no split {split!r}; it has {sorted(splits)}. Set `split` to one of them'
            )
        wanted, counts = set(splits[split]), Counter(self._names)
        absent = sorted(wanted - set(counts))
        if absent:
            raise AnnotationError(
                f'{self.path}: split {split!r} names {len(absent)} samples that the file does not hold, the '
                f'first {absent[:3]}; make the file anew or take them out of the split'
            )
        doubled = sorted(name for name in wanted if counts[name] > 1)
        if doubled:
            raise AnnotationError(
                f'{self.path}: {len(doubled)} names of split {split!r} stand twice, the first {doubled[:3]}'
            )
        return [place for place, name in enumerate(self._names) if name in wanted]

    def problems(self, places: Sequence[int], expected: Expected) -> Dict[int, Problem]:
        """What is wrong with samples, by their place, as :func:`.annotations.check_annotations` finds it."""
        known = self._checked.setdefault(expected, {})
        fresh = [place for place in places if place not in known]
        found = check_annotations(take_samples(self.annotations, fresh), expected)
        known.update({place: found.get(index) for index, place in enumerate(fresh)})
        return {place: known[place] for place in places if known[place] is not None}


_OPEN: 'WeakValueDictionary[tuple, AnnotationFile]' = WeakValueDictionary()


def open_annotations(path: Union[str, Path]) -> AnnotationFile:
    """The annotation file of that path, which is read unless a data set of this process holds it already.

    A file that has changed on the disk is read again. One that no data set
    holds any longer leaves the memory.

    Raises:
        AnnotationError: If the file is absent or is not such a file.

    Example:
        >>> import pickle
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, 'mine.pkl')
        ...     _ = path.write_bytes(pickle.dumps(dict(split=dict(train=['b']), annotations=[
        ...         dict(frame_dir='a'), dict(frame_dir='b')])))
        ...     file = open_annotations(path)
        ...     file.select('train'), open_annotations(path) is file
        ([1], True)
    """
    try:
        state = os.stat(Path(path, INDEX) if os.path.isdir(path) else path)
    except OSError:
        return AnnotationFile(path)  # which says what is missing
    key = (os.path.realpath(path), state.st_mtime_ns, state.st_size)
    file = _OPEN.get(key) or AnnotationFile(path)
    _OPEN[key] = file
    return file
