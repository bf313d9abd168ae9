"""Self-supervised skeleton action recognition for mmaction2 1.x.

Importing the package registers all its parts, so that one line in a config,
``custom_imports = dict(imports=['i2md_mmaction'])``, makes them known.
"""

from .compat import (
    expect_mmcv_lite,
    format_configs_once,
    leave_out_models_of_text,
    register_weight_initializers,
    stand_in_for_missing_drn,
)
from .external_configs import name_package

stand_in_for_missing_drn()
leave_out_models_of_text()
register_weight_initializers()
expect_mmcv_lite()
format_configs_once()
name_package()

from . import augmentations, datasets, engine, evaluation, models  # noqa: E402

__version__ = '0.2.0'

__all__ = ['augmentations', 'datasets', 'engine', 'evaluation', 'models']
