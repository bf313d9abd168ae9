"""What pip and mim make of the package: a wheel, an editable install, the model index, configs by name."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, utils
from mmengine.hub import get_config

import i2md_mmaction
from i2md_mmaction.external_configs import name_package
from i2md_mmaction.protocols import downstream_config

ROOT = Path(__file__).parents[1]
SOURCES = (
    'i2md_mmaction',
    'configs',
    'tools',
    'pyproject.toml',
    'setup.py',
    'MANIFEST.in',
    'model-index.yml',
)
SOURCES += ('README.md', 'LICENSE', 'requirements.txt', 'requirements-dev.txt')
# In the copies alone that are built here, so that nothing is found in another install by mistake.
ONLY_HERE = 'only_here'
INDEX_ENTRY = f"""\
  - Name: {ONLY_HERE}
    In Collection: MoCo
    Config: configs/{ONLY_HERE}.py
"""
CONFIG = """\
_base_ = './moco_demo.py'
model = dict(backbone=dict(hidden_channels=8, num_layers=1), bank=dict(size=32))
train_cfg = dict(max_epochs=1, val_interval=1)
"""
INHERITING = f"""\
_base_ = 'i2md_mmaction::{ONLY_HERE}.py'
train_dataloader = dict(batch_size=8)
"""


def copy_sources(folder):
    """A copy of what is built, with a config and a model of its own."""
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns('__pycache__', '.mim'))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / 'configs' / f'{ONLY_HERE}.py').write_text(CONFIG)
    with (folder / 'model-index.yml').open('a') as index:
        index.write(INDEX_ENTRY)
    return folder


def python(*arguments, cwd, site=None):
    """Runs Python in a folder; a folder that stands for site-packages comes before the real one."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ('PYTHONPATH', 'I2MD_DATA')
    }
    environment.update({'PYTHONPATH': str(site)} if site else {}, PYTHONWARNINGS='ignore')
    line = [sys.executable, *map(str, arguments)]
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def build(hook, source, out):
    """Calls a hook of the build backend as pip does, and gives the file it made."""
    out.mkdir()
    program = f'import sys; from setuptools import build_meta; build_meta.{hook}(sys.argv[1])'
    python('-c', program, out, cwd=source)
    return next(out.iterdir())


@pytest.fixture(scope='module')
def unpacked_sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp('sdist')
    archive = build('build_sdist', copy_sources(folder / 'source'), folder / 'dist')
    with tarfile.open(archive) as file:
        file.extractall(folder / 'unpacked', filter='data')
    return next((folder / 'unpacked').iterdir())


@pytest.fixture(scope='module')
def wheel(unpacked_sdist, tmp_path_factory):
    """A wheel made of the source distribution alone."""
    out = tmp_path_factory.mktemp('wheel')
    python(
        '-m',
        'pip',
        'wheel',
        '.',
        '--no-deps',
        '--no-index',
        '--no-build-isolation',
        '-w',
        out,
        cwd=unpacked_sdist,
    )
    return next(out.iterdir())


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """A folder that the wheel is installed to."""
    site = tmp_path_factory.mktemp('site')
    python('-m', 'pip', 'install', '--no-deps', '--no-index', '--target', site, wheel, cwd=site)
    return site


def files_below(folder, suffix=''):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob(f'*{suffix}')
        if path.is_file() and '__pycache__' not in path.parts
    }


def test_a_wheel_holds_every_config_every_tool_and_the_index(installed, unpacked_sdist):
    mim = installed / 'i2md_mmaction' / '.mim'
    assert files_below(mim / 'configs') == files_below(ROOT / 'configs') | {f'{ONLY_HERE}.py'}
    assert files_below(mim / 'tools') == files_below(ROOT / 'tools', '.py')
    assert {path.name for path in mim.iterdir()} == {'configs', 'tools', 'model-index.yml'}
    assert (mim / 'model-index.yml').read_text().endswith(INDEX_ENTRY)
    for name in ('configs/i2md_ntu60.py', 'tools/data/convert.py'):
        assert (mim / name).read_bytes() == (ROOT / name).read_bytes()
    modules = {path for path in files_below(installed / 'i2md_mmaction') if not path.startswith('.mim/')}
    sources = {path for path in files_below(ROOT / 'i2md_mmaction') if not path.startswith('.mim/')}
    assert modules == sources
    assert {path.name for path in installed.iterdir()} == {
        'i2md_mmaction',
        f'i2md_mmaction-{i2md_mmaction.__version__}.dist-info',
    }
    assert not (unpacked_sdist / 'i2md_mmaction' / '.mim').exists(), 'a wheel leaves its sources as they were'


def test_the_metadata_are_said_in_one_place_each(wheel):
    with zipfile.ZipFile(wheel) as file:
        name = next(name for name in file.namelist() if name.endswith('.dist-info/METADATA'))
        metadata = Parser().parsestr(file.read(name).decode())
    assert metadata['Version'] == i2md_mmaction.__version__
    assert metadata['License-Expression'] == 'Apache-2.0'
    assert metadata['Requires-Python'] == '<3.13,>=3.10'
    required = {'': set(), 'dev': set()}
    for line in metadata.get_all('Requires-Dist'):
        requirement, _, extra = line.partition('; extra == ')
        required[extra.strip('"\'')].add(re.match(r'[\w-]+', requirement)[0])
    for extra, name in (('', 'requirements.txt'), ('dev', 'requirements-dev.txt')):
        lines = (ROOT / name).read_text().splitlines()
        assert required[extra] == {re.match(r'[\w-]+', line)[0] for line in lines if not line.startswith('#')}


def test_the_newest_entry_of_the_changelog_is_this_version():
    versions = re.findall(r'^## \[?(\d+\.\d+\.\d+)', (ROOT / 'CHANGELOG.md').read_text(), re.MULTILINE)
    assert versions[0] == i2md_mmaction.__version__


def found_by_search(cwd, site, *arguments):
    """What ``mim search`` finds, in its order: {name of a model: {field: value}}."""
    python(
        '-m', 'mim', 'search', 'i2md_mmaction', '--json', cwd / 'found.json', *arguments, cwd=cwd, site=site
    )
    fields = json.loads((cwd / 'found.json').read_text())
    return {name: {field: fields[field][name] for field in fields} for name in fields['config']}


def test_mim_search_lists_filters_and_sorts_the_models(installed, tmp_path):
    assert set(found_by_search(tmp_path, installed)) == {ONLY_HERE} | {
        path.stem for path in (ROOT / 'configs').glob('*.py')
    }
    measured = found_by_search(tmp_path, installed, '--condition', 'knn_top1>80', '--sort', 'parameters')
    assert list(measured) == ['moco_nwucla_small', 'cmd_nwucla_small', 'i2md_nwucla_small']
    assert measured['cmd_nwucla_small']['nw-ucla-xview/knn_top1'] == 83.2
    ours = found_by_search(tmp_path, installed, '--model', 'cmd', '--dataset', 'NTU60-xsub')
    assert set(ours) == {'cmd_ntu60', 'cmd_two_stage_ntu60'}


def test_mim_runs_tools_trains_a_config_that_inherits_from_ours_and_tests_one_by_name(installed, tmp_path):
    help_of_evaluate = python(
        '-m', 'mim', 'run', 'i2md_mmaction', 'evaluate', '--', '--help', cwd=tmp_path, site=installed
    )
    assert '--protocols' in help_of_evaluate
    assert f'Use the script {installed}/i2md_mmaction/.mim/tools/evaluate.py' in help_of_evaluate
    arguments = ('--out', 'data/demo/ntu25_demo.pkl', '--num-classes', '4', '--samples-per-class', '4')
    python('-m', 'mim', 'run', 'i2md_mmaction', 'make_demo_data', *arguments, cwd=tmp_path, site=installed)

    (tmp_path / 'mine.py').write_text(INHERITING)
    python(
        '-m', 'mim', 'train', 'i2md_mmaction', 'mine.py', '--work-dir', 'run', cwd=tmp_path, site=installed
    )
    weights = torch.load(tmp_path / 'run' / 'epoch_1.pth', weights_only=True)
    assert weights['meta']['iter'] == 2, 'batches of eight, as mine.py says; of 64 there would be one'
    assert '_scope_' not in (tmp_path / 'run' / 'mine.py').read_text()

    arguments = (f'{ONLY_HERE}.py', '--checkpoint', 'run/epoch_1.pth', '--work-dir', 'test')
    log = python('-m', 'mim', 'test', 'i2md_mmaction', *arguments, cwd=tmp_path, site=installed)
    assert f'will use {installed}/i2md_mmaction/.mim/configs/{ONLY_HERE}.py' in log
    assert re.search(r'knn/top1: \d', log)


def test_mim_sees_a_change_in_the_checkout_of_an_editable_install_at_once(tmp_path):
    source = copy_sources(tmp_path / 'source')
    with zipfile.ZipFile(build('build_editable', source, tmp_path / 'dist')) as file:
        file.extractall(tmp_path / 'site')
    assert not (tmp_path / 'site' / 'i2md_mmaction').exists()
    for name in ('configs', 'tools', 'model-index.yml'):
        assert (source / 'i2md_mmaction' / '.mim' / name).resolve() == source / name
    assert ONLY_HERE in found_by_search(tmp_path, tmp_path / 'site')
    with (source / 'model-index.yml').open('a') as index:
        index.write(INDEX_ENTRY.replace(ONLY_HERE, 'later'))
    assert 'later' in found_by_search(tmp_path, tmp_path / 'site')


def test_a_tool_that_is_run_through_a_link_takes_configs_that_lie_anywhere(tmp_path):
    source = copy_sources(tmp_path / 'source')
    build('build_editable', source, tmp_path / 'dist')
    (tmp_path / 'mine.py').write_text("_base_ = 'i2md_mmaction::cmd_demo.py'\n")
    tool = runpy.run_path(str(source / 'i2md_mmaction' / '.mim' / 'tools' / 'evaluate.py'))
    config = downstream_config(tmp_path / 'mine.py', 'linear', tool['DOWNSTREAM'])
    assert config.model.backbone.type == 'BiGRU' and config.work_dir == './work_dirs/linear_mine'


def test_the_links_of_this_checkout_lead_to_its_folders():
    mim = ROOT / 'i2md_mmaction' / '.mim'
    if not mim.exists():
        pytest.skip('this checkout is not installed; pip install -e .')
    for name in ('configs', 'tools', 'model-index.yml'):
        assert (mim / name).resolve(strict=True) == ROOT / name


def test_a_config_of_ours_by_name_is_the_one_by_path():
    for name in ('i2md_ntu60.py', 'downstream/linear.py'):
        by_path = Config.fromfile(ROOT / 'configs' / name)
        assert get_config(f'i2md_mmaction::{name}').to_dict() == by_path.to_dict()


def test_an_inheriting_config_builds_its_parts_where_ours_stand(tmp_path):
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'i2md_mmaction::cmd_demo.py'\nbackbone = _base_.model.backbone\n"
    )
    config = Config.fromfile(tmp_path / 'mine.py')
    assert config.backbone.type == 'BiGRU' and config.default_scope == 'mmaction'
    assert '_scope_' not in config.pretty_text


def test_names_of_other_packages_stay_with_mmengine():
    split = utils._get_package_and_cfg_path
    name_package()
    assert utils._get_package_and_cfg_path is split
    assert split('mmaction::skeleton/stgcn.py') == ('mmaction2', 'skeleton/stgcn.py')
    with pytest.raises(ValueError, match='relative config path'):
        split('mmaction::stgcn.py')
    assert Config._get_cfg_path('./there.py', '/here/mine.py') == ('/here/./there.py', None)
