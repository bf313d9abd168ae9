"""The stand-in for the sub-package that the wheel of mmaction2 1.2.0 lacks."""

import sys
from importlib.machinery import ModuleSpec

import pytest

from i2md_mmaction import compat

DRN = ('mmaction.models.localizers.drn', 'mmaction.models.localizers.drn.drn')


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A mmaction2 in a folder of its own, of which no part is imported yet."""
    (tmp_path / 'models' / 'localizers').mkdir(parents=True)
    spec = ModuleSpec('mmaction', None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(compat, 'find_spec', lambda name: spec)
    for name in DRN:
        # Set first, so that what the stand-in puts there is taken out again after the test.
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
    return tmp_path


def test_nothing_is_done_where_the_sub_package_is_present(installed):
    (installed / 'models' / 'localizers' / 'drn').mkdir()
    assert compat.stand_in_for_missing_drn() is False
    assert not set(DRN) & set(sys.modules)


def test_nothing_is_done_where_mmaction2_is_absent(installed, monkeypatch):
    monkeypatch.setattr(compat, 'find_spec', lambda name: None)
    assert compat.stand_in_for_missing_drn() is False
    assert not set(DRN) & set(sys.modules)


def test_the_stand_in_is_made_once_where_the_sub_package_is_absent(installed):
    assert compat.stand_in_for_missing_drn() is True
    made = [sys.modules[name] for name in DRN]
    assert compat.stand_in_for_missing_drn() is False
    assert [sys.modules[name] for name in DRN] == made


def test_building_the_stand_in_says_what_is_missing(installed):
    compat.stand_in_for_missing_drn()
    from mmaction.models.localizers.drn.drn import DRN as stand_in

    with pytest.raises(NotImplementedError, match=r'localizers\.drn; install mmaction2 from source'):
        stand_in(channels=3)


def test_mmaction2_models_can_be_imported():
    import mmaction.models

    assert mmaction.models.RecognizerGCN
