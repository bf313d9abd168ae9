"""Defects of pinned releases, one function each; no feature of ours.

Each does nothing where its defect is absent, so that a repaired release needs
no change here.
"""

import sys
from importlib import import_module
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


def leave_out_models_of_text() -> bool:
    """Lets ``import mmaction.models`` work beside a transformers that it does not know.

    mmaction2 1.2.0 takes any transformers from 4.28 on for its models of video and
    text, and ``mmaction.models`` cannot be imported beside one that has moved what
    they import. They are left out then, as where transformers is not installed;
    building one says so.

    Returns:
        Whether they were left out.
    """
    if find_spec('mmaction') is None:
        return False
    from mmaction.utils import dependency

    if not dependency.WITH_MULTIMODAL:
        return False
    try:
        utils = import_module('transformers.modeling_utils')
        wanted = ('apply_chunking_to_forward', 'find_pruneable_heads_and_indices', 'prune_linear_layer')
        known = all(hasattr(utils, name) for name in wanted)
    except ImportError:
        known = False
    dependency.WITH_MULTIMODAL = known
    return not known
