"""One table of protocols, and what is read from it."""

from pathlib import Path

import numpy as np

from i2md_mmaction.evaluation import AIMCLR_WEIGHTS
from i2md_mmaction.protocols import PROTOCOLS, find_protocol
from i2md_mmaction.protocols.table import expand

DOWNSTREAM = Path(__file__).parents[2] / 'configs/downstream'


def test_the_table_and_the_configs_name_the_same_protocols():
    trained = {name for name, protocol in PROTOCOLS.items() if not protocol.on_features}
    assert trained == {path.stem for path in DOWNSTREAM.glob('*.py')}


def test_a_family_stands_for_its_members_and_an_added_config_for_itself():
    names = [protocol.name for protocol in expand(['semi', 'mine', 'linear'])]
    assert names == ['semi_1', 'semi_5', 'semi_10', 'semi_20', 'mine', 'linear']
    assert not find_protocol('mine').repeated and find_protocol('mine').meaning == 'see its config'


def test_only_aimclr_weighs_its_streams():
    scores = {
        stream: np.random.default_rng(seed).normal(size=(4, 3)) for seed, stream in enumerate(AIMCLR_WEIGHTS)
    }
    weighed = sum(AIMCLR_WEIGHTS[stream] * scores[stream] for stream in scores)
    np.testing.assert_allclose(find_protocol('linear_aimclr').fuse(scores), weighed)
    for protocol in PROTOCOLS.values():
        if protocol.name != 'linear_aimclr':
            fused = protocol.fuse(scores)
            assert (fused.argmax(axis=1) == sum(scores.values()).argmax(axis=1)).all()
