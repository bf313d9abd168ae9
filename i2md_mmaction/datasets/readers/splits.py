"""The official splits of the datasets, as rules on the names of samples."""

import re
from pathlib import Path
from typing import Callable, Dict, FrozenSet, Iterable, List, NamedTuple, Optional

# The rule of a protocol: says of a sample's name whether it is 'train', 'val' or neither.
PartOf = Callable[[str], Optional[str]]

# fmt: off
# Shahroudy et al., CVPR 2016, section 4.3.1.
NTU60_TRAIN_SUBJECTS = frozenset((1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38))
# Liu et al., TPAMI 2020, section 3.3.
NTU120_TRAIN_SUBJECTS = NTU60_TRAIN_SUBJECTS | {
    45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89, 91, 92,
    93, 94, 95, 97, 98, 100, 103,
}
# fmt: on
NTU60_TRAIN_CAMERAS = frozenset((2, 3))
#: Published by the authors of the data set beside their code.
MISSING_SKELETONS = Path(__file__).with_name('missing_skeletons.txt')

_NTU_NAME = re.compile(r'S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})')
_PKU_SECTIONS = {'train': 'train', 'valid': 'val', 'test': 'val'}


class NTUName(NamedTuple):
    """The parts of a name such as ``S001C002P003R002A013``, counted from 1."""

    setup: int
    camera: int
    subject: int
    replication: int
    action: int

    @classmethod
    def parse(cls, name: str) -> Optional['NTUName']:
        """Reads a name; None where it is no name of NTU RGB+D.

        Example:
            >>> NTUName.parse('S001C002P003R002A013').action
            13
        """
        match = _NTU_NAME.fullmatch(name)
        return cls(*map(int, match.groups())) if match else None


def train_if(condition: bool) -> str:
    """'train' where the condition holds, else 'val'."""
    return 'train' if condition else 'val'


NTU60_PROTOCOLS: Dict[str, PartOf] = {
    'xsub': lambda name: train_if(NTUName.parse(name).subject in NTU60_TRAIN_SUBJECTS),
    'xview': lambda name: train_if(NTUName.parse(name).camera in NTU60_TRAIN_CAMERAS),
}
NTU120_PROTOCOLS: Dict[str, PartOf] = {
    'xsub': lambda name: train_if(NTUName.parse(name).subject in NTU120_TRAIN_SUBJECTS),
    'xset': lambda name: train_if(NTUName.parse(name).setup % 2 == 0),
}


def split_names(names: Iterable[str], protocols: Dict[str, PartOf]) -> Dict[str, List[str]]:
    """Sorts names into ``PROTOCOL_train`` and ``PROTOCOL_val``, each in the given order.

    Example:
        >>> split_names(['S001C001P003R001A001'], NTU60_PROTOCOLS)['xview_val']
        ['S001C001P003R001A001']
    """
    splits: Dict[str, List[str]] = {f'{name}_{part}': [] for name in protocols for part in ('train', 'val')}
    for name in names:
        for protocol, part_of in protocols.items():
            part = part_of(name)
            if part:
                splits[f'{protocol}_{part}'].append(name)
    return splits


def read_missing_list(path: Path = MISSING_SKELETONS) -> FrozenSet[str]:
    """Reads the list of samples whose skeletons are missing or incomplete.

    Args:
        path: A text file with a name a line, under any heading; by default the
            535 names that the authors of NTU-120 publish, among them the 302
            of NTU-60.

    Raises:
        ValueError: If no line holds the name of a sample.
    """
    names = frozenset(
        match.group()
        for match in _NTU_NAME.finditer(Path(path).read_text(encoding='utf-8', errors='replace'))
    )
    if not names:
        raise ValueError(
            f'{path}: no name such as S001C002P003R002A013 in it; '
            'expected the list of missing skeletons published with NTU RGB+D'
        )
    return names


def read_pku_split(path: Path) -> Dict[str, str]:
    """Reads a split file of PKU-MMD.

    A line such as ``Training videos:`` or ``Validataion videos:`` (so spelt
    in the dataset) opens a section of recordings separated by commas.

    Returns:
        'train' or 'val' for each recording.

    Raises:
        ValueError: If a name stands before the first section or in both, or
            a section is empty.
    """
    part_of: Dict[str, str] = {}
    part = None
    for number, line in enumerate(Path(path).read_text(encoding='utf-8-sig').splitlines(), 1):
        heading, colon, rest = line.rpartition(':')
        if colon:
            part = next((v for k, v in _PKU_SECTIONS.items() if heading.strip().lower().startswith(k)), None)
        for name in filter(None, (name.strip() for name in rest.split(','))):
            if part is None or part_of.setdefault(name, part) != part:
                raise ValueError(
                    f"{path}, line {number}: {name!r} stands in no section or in two; expected 'Training "
                    "videos:' and 'Validation videos:', each followed by names separated by commas"
                )
    if set(part_of.values()) != {'train', 'val'}:
        raise ValueError(
            f"{path}: a section has no names; expected 'Training videos:' and 'Validation videos:', "
            'each followed by names separated by commas'
        )
    return part_of
