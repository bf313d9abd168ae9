"""Defects of pinned releases, one function each; no feature of ours.

Each does nothing where its defect is absent, so that a repaired release needs
no change here.
"""

import sys
import warnings
from functools import lru_cache, wraps
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


def register_weight_initializers() -> bool:
    """Lets mmaction2's graph networks find the initialisers that they name.

    mmaction2 1.2.0 looks for them among its models, but ``mmaction.engine`` has
    them: until something else imports it, AAGCN cannot be initialised.

    Returns:
        Whether they had been unknown.
    """
    if find_spec('mmaction') is None:
        return False
    from mmaction.registry import WEIGHT_INITIALIZERS

    known = 'ConvBranch' in WEIGHT_INITIALIZERS.module_dict
    import_module('mmaction.engine')
    return not known


def format_configs_once() -> bool:
    """Lets MMEngine format the text of a config once, and not whenever it is asked for.

    MMEngine 0.10 runs yapf over the whole config, one to three seconds, for the
    log, the copy in the work dir, TensorBoard, the message hub, and once more for
    each checkpoint. Equal texts give equal results, so that the first one serves.

    Returns:
        Whether that was changed.
    """
    module = import_module('mmengine.config.config')
    format_code = getattr(module, 'FormatCode', None)
    if format_code is None or hasattr(format_code, 'cache_clear'):
        return False

    @lru_cache(maxsize=4)
    def formatted(text: str, style: tuple, options: tuple) -> tuple:
        return format_code(text, style_config=dict(style), **dict(options))

    @wraps(format_code)
    def once(text: str, style_config: dict, **options) -> tuple:
        return formatted(text, tuple(style_config.items()), tuple(options.items()))

    once.cache_clear = formatted.cache_clear
    module.FormatCode = once
    return True


def expect_mmcv_lite() -> None:
    """Keeps mmcv-lite from warning, in every tool, of an operator that no model of skeletons has."""
    warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')
