"""Northwestern-UCLA: one JSON file a sequence."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List

import numpy as np

from .samples import ReadError, Reading, find_files
from .splits import PartOf, split_names, train_if

NUM_JOINTS = 20
# The dataset has no actions 7 and 10.
ACTIONS = (1, 2, 3, 4, 5, 6, 8, 9, 11, 12)

_NAME = re.compile(r'a(?P<action>\d\d)_s(?P<subject>\d\d)_e(?P<execution>\d\d)_v(?P<view>\d\d)')


def _number(name: str, part: str) -> int:
    return int(_NAME.fullmatch(name)[part])


# Wang et al., CVPR 2014, section 5: the third view is tested.
PROTOCOLS: Dict[str, PartOf] = {
    'xview': lambda name: train_if(_number(name, 'view') != 3),
    'xsub': lambda name: train_if(_number(name, 'subject') % 2 == 1),
}


def read_json(path: Path) -> np.ndarray:
    """Reads one sequence.

    Args:
        path: JSON object whose ``skeletons`` is a list of frames, each of 20
            joints, each of x, y, z.

    Returns:
        Joints of shape (1, T, 20, 3), float32, metres.

    Raises:
        ReadError: If the file is no such JSON.
    """
    try:
        skeletons = json.loads(Path(path).read_bytes())['skeletons']
    except json.JSONDecodeError as error:
        raise ReadError(path, f'no complete JSON ({error.msg})', 'truncated file', error.lineno) from None
    except (UnicodeDecodeError, KeyError, TypeError):
        raise ReadError(path, "expected a JSON object with the key 'skeletons'") from None
    if not skeletons:
        return np.zeros((1, 0, NUM_JOINTS, 3), np.float32)
    for frame, joints in enumerate(skeletons, 1):
        if not isinstance(joints, list) or len(joints) != NUM_JOINTS:
            found = len(joints) if isinstance(joints, list) else repr(joints)[:60]
            raise ReadError(path, f'expected {NUM_JOINTS} joints, got {found}', frame=frame)
    try:
        keypoint = np.array(skeletons, np.float32)
        if keypoint.shape[1:] != (NUM_JOINTS, 3):
            raise ValueError
    except (ValueError, TypeError):
        raise ReadError(path, 'a joint is not three numbers x, y, z') from None
    return keypoint[None]


@dataclass(frozen=True)
class NWUCLA:
    """A folder of files named ``aAA_sSS_eEE_vVV.json``.

    Actions 1 to 6, 8, 9, 11 and 12 are classes 0 to 9; training on views 1
    and 2 (x-view), and on subjects of odd number (x-sub).

    Args:
        folder: Where the files are, at any depth.
    """

    folder: Path

    def files(self) -> Dict[str, Path]:
        """Every file by name, sorted."""
        return find_files([self.folder], '*.json')

    def read(self, path: Path) -> Reading:
        """Makes the one sample of a file."""
        reading, match = Reading(), _NAME.fullmatch(path.stem)
        if not match:
            return reading.drop(path.stem, 'not a name such as a01_s02_e03_v01', str(path))
        action = int(match['action'])
        if action not in ACTIONS:
            return reading.drop(path.stem, f'action not one of {ACTIONS}', str(path))
        return reading.add(path.stem, ACTIONS.index(action), read_json(path))

    def splits(self, names: Iterable[str]) -> Dict[str, List[str]]:
        """Names of each split."""
        return split_names(names, PROTOCOLS)
