"""Defects of pinned releases: what is mended, and that nothing is done where nothing is wrong."""

import os
import subprocess
import sys
from importlib.machinery import ModuleSpec

import pytest
from mmengine.config import Config
from yapf.yapflib.yapf_api import FormatCode

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


def test_mmaction2s_graph_networks_are_initialised_before_a_runner_is_there():
    code = (
        'import i2md_mmaction\n'
        'from mmaction.registry import MODELS\n'
        'from mmengine.registry import init_default_scope\n'
        "init_default_scope('mmaction')\n"
        "graph = dict(layout='nturgb+d', mode='spatial')\n"
        "MODELS.build(dict(type='AAGCN', graph_cfg=graph)).init_weights()\n"
    )
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    'module', ['', "raise ImportError('a part of it is missing')"], ids=['moved', 'broken']
)
def test_a_transformers_that_mmaction2_does_not_know_is_left_alone(tmp_path, module):
    (tmp_path / 'transformers').mkdir()
    (tmp_path / 'transformers' / '__init__.py').write_text('')
    (tmp_path / 'transformers' / 'modeling_utils.py').write_text(module)
    information = tmp_path / 'transformers-5.17.0.dist-info'
    information.mkdir()
    (information / 'METADATA').write_text('Metadata-Version: 2.1\nName: transformers\nVersion: 5.17.0\n')
    code = (
        'import i2md_mmaction\n'
        'from mmaction.registry import MODELS\n'
        "MODELS.build(dict(type='VindLURetrieval'))"
    )
    run = subprocess.run(
        [sys.executable, '-W', 'default', '-c', code],
        env={**os.environ, 'PYTHONPATH': str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert 'requires extra multi-modal dependencies' in run.stderr
    # Nor is anything said of operators that mmcv-lite lacks.
    assert 'MultiScaleDeformableAttention' not in run.stderr


def test_a_config_is_formatted_once_and_as_mmengine_formats_it(monkeypatch):
    calls = []

    def format_code(text, style_config, **options):
        calls.append(text)
        return FormatCode(text, style_config=style_config, **options)

    monkeypatch.setattr('mmengine.config.config.FormatCode', format_code)
    config = Config(dict(model=dict(type='CMD', momentum=0.999), seeds=list(range(40))))
    expected = config.pretty_text
    assert compat.format_configs_once() is True and compat.format_configs_once() is False
    calls.clear()
    assert config.pretty_text == config.pretty_text == expected and len(calls) == 1
    config.model.momentum = 0.9
    assert 'momentum=0.9,' in config.pretty_text and len(calls) == 2
