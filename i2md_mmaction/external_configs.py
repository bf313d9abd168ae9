"""Lets configs that lie anywhere name ours, as in ``_base_ = 'i2md_mmaction::i2md_ntu60.py'``."""

from typing import Callable

from mmengine.config import Config, config, utils
from mmengine.hub import hub

PACKAGE = 'i2md_mmaction'


def name_package() -> None:
    """Makes MMEngine take the names of our configs.

    MMEngine knows the packages of OpenMMLab only, wants a folder in the name,
    which ours do not have, and builds what comes from another package in that
    package's registries; our parts stand in mmaction2's, and our configs say so
    (``default_scope``). A second call changes nothing.

    Example:
        >>> from mmengine.hub import get_config
        >>> get_config('i2md_mmaction::cmd_demo.py').model.type
        'CMD'
    """
    if PACKAGE in utils.MODULE2PACKAGE:
        return
    utils.MODULE2PACKAGE[PACKAGE] = PACKAGE
    split = _without_folder(utils._get_package_and_cfg_path)
    for module in (utils, config, hub):
        module._get_package_and_cfg_path = split
    Config._get_cfg_path = staticmethod(_without_scope(Config._get_cfg_path))


def _without_folder(split: Callable) -> Callable:
    """Splits ``'i2md_mmaction::NAME'``, and leaves every other package's names to MMEngine."""

    def split_name(cfg_path: str) -> tuple:
        package, _, name = cfg_path.partition('::')
        return (package, name) if package == PACKAGE else split(cfg_path)

    return split_name


def _without_scope(find: Callable) -> Callable:
    """Finds the file of a base config; one of ours brings no scope with it."""

    def find_config(cfg_path: str, filename: str) -> tuple:
        path, scope = find(cfg_path, filename)
        return path, None if scope == PACKAGE else scope

    return find_config
