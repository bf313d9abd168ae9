"""What the README tells people to type."""

import argparse
import re
import shlex
from pathlib import Path

import pytest
from mmaction.registry import MODELS
from mmengine.config import Config, DictAction

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text(encoding='utf-8')
OPTIONS = sorted({span for span in re.findall(r'`([^`\n]+)`', README) if span.startswith('model.')})


@pytest.mark.parametrize('options', OPTIONS)
def test_every_ablation_line_builds_and_is_taken(options):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    overrides = parser.parse_args(['--cfg-options', *shlex.split(options)]).cfg_options
    config = Config.fromfile(ROOT / 'configs/i2md_ntu60.py')
    for key in overrides:
        assert key in ('model.edges',) or _get(config, key) is not None, f'{key} is no option of the config'
    config.merge_from_dict(overrides)
    config.model.backbone.update(gcn_channels=4, embed_dims=16, depth=1, num_heads=2, feedforward_channels=16)
    model = MODELS.build(config.model)
    if 'model.edges' in overrides:
        assert model.edges == [tuple(edge) for edge in overrides['model.edges']]
    if 'model.streams' in overrides:
        assert list(model.streams) == list(overrides['model.streams'])


def _get(config, key):
    value = config
    for part in key.split('.'):
        value = value[part]
    return value


def test_every_config_that_the_readme_names_is_there():
    named = set(re.findall(r'(?:configs|projects)/[\w/]+\.py', README))
    assert named and not [name for name in named if not (ROOT / name).is_file()]
