"""The config in a checkpoint is read as plain values and never run."""

import math

import pytest
from mmengine.config import Config

from i2md_mmaction.models.stored_config import model_settings, read_config, stored_config
from tests.test_configs import CONFIGS


# A few of each kind: MMEngine takes seconds to format one.
@pytest.mark.parametrize(
    'name', ['i2md_sbu_small', 'aimclr_demo_2d', 'cmd_kinect20_joined_small', 'downstream/linear']
)
def test_every_config_is_read_as_mmengine_dumps_it(name):
    config = CONFIGS[f'configs/{name}']
    assert Config(read_config(config.pretty_text)).to_dict() == config.to_dict()


@pytest.mark.parametrize(
    'text',
    [
        'import os',
        'os.abort()',
        "model = __import__('os').abort()",
        "model = dict(type='CMD', size=2 ** 99)",
        'model = [x for x in (1, 2)]',
        'model = dict(**other)',
        'model = dict([(1, 2)])',
        'a = b = 1',
        'a.b = 1',
        'model = dict(',
    ],
)
def test_anything_but_plain_values_is_refused(text):
    with pytest.raises(ValueError, match='plain value|no config can be read'):
        read_config(text)
    assert model_settings(dict(meta=dict(cfg=text))) == {}


def test_plain_values_keep_their_kinds():
    text = "a = (1, -2.5e-3)\nb = ['x', None, True]\nc = {'k-NN': dict(), 3: 'three'}\nd = 1e999\n"
    read = read_config(text)
    assert read['a'] == (1, -2.5e-3) and type(read['a']) is tuple
    assert read['b'] == ['x', None, True] and read['c'] == {'k-NN': {}, 3: 'three'}
    assert math.isinf(read['d'])


def test_a_checkpoint_says_what_it_carries():
    text = "model = dict(type='CMD', layout='kinect20', bank=dict(size=8), streams=['joint'])\n"
    assert stored_config(dict(meta=dict(cfg=text))).model.bank.size == 8
    assert model_settings(dict(meta=dict(cfg=text))) == dict(type='CMD', layout='kinect20')
    assert model_settings(dict(meta=dict(cfg=text, model=dict(layout='ntu25')))) == dict(layout='ntu25')
    assert stored_config({}) is None and stored_config(dict(meta={})) is None
    assert model_settings(dict(meta={})) == model_settings({}) == {}
    with pytest.raises(ValueError, match='no assignment'):
        stored_config(dict(meta=dict(cfg='import os')))
