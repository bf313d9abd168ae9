"""Self-supervised skeleton action recognition for mmaction2 1.x.

Importing the package registers all its parts, so that one line in a config,
``custom_imports = dict(imports=['i2md_mmaction'])``, makes them known.
"""

from .compat import stand_in_for_missing_drn

stand_in_for_missing_drn()

from . import augmentations, datasets, engine, evaluation, models  # noqa: E402

__version__ = '0.1.0'

__all__ = ['augmentations', 'datasets', 'engine', 'evaluation', 'models']
