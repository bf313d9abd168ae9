"""Defects of pinned releases, one function each; no feature of ours.

Each does nothing where its defect is absent, so that a repaired release needs
no change here.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def stand_in_for_missing_drn() -> bool:
    """Lets ``import mmaction.models`` work where the wheel lost a sub-package.

    The wheel of mmaction2 1.2.0 was built without
    ``mmaction/models/localizers/drn``, which ``mmaction.models`` imports. The
    stand-in takes its place in ``sys.modules``; building the localizer itself
    says what is missing.

    Returns:
        Whether the stand-in was needed.
    """
    package = 'mmaction.models.localizers.drn'
    spec = find_spec('mmaction')
    if spec is None or package in sys.modules:
        return False
    root = Path(spec.submodule_search_locations[0])
    if (root / 'models' / 'localizers' / 'drn').exists():
        return False

    class DRN:
        """Stands in for the localizer that this mmaction2 lacks."""

        def __init__(self, *args, **kwargs) -> None:
            raise NotImplementedError(
                'this release of mmaction2 was published without mmaction.models.localizers.drn; '
                'install mmaction2 from source to use DRN'
            )

    for name in (package, f'{package}.drn'):
        module = ModuleType(name, 'Stand-in, see i2md_mmaction.compat.')
        module.__path__ = []
        module.DRN = DRN
        sys.modules[name] = module
    return True
