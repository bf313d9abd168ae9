"""What a table says of how a classifier was trained."""

from pathlib import Path

import pytest

from i2md_mmaction.protocols.configs import describe_recipe, downstream_config

CONFIGS = Path(__file__).parents[2] / 'configs'
COSINE = dict(type='CosineAnnealingLR', T_max=80)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (dict(), '80 epochs, SGD 0.1, /10 at 50 and 70, batch 64'),
        (
            dict(optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05, _delete_=True))),
            '80 epochs, AdamW 0.001, /10 at 50 and 70, batch 64, weight decay 0.05',
        ),
        (dict(param_scheduler=[COSINE]), '80 epochs, SGD 0.1, CosineAnnealingLR, batch 64'),
        (dict(param_scheduler=None), '80 epochs, SGD 0.1, batch 64'),
    ],
)
def test_any_optimiser_and_schedule_is_described(change, said):
    config = downstream_config(CONFIGS / 'cmd_ntu60.py', 'linear', CONFIGS / 'downstream')
    config.merge_from_dict(change)
    assert describe_recipe(config) == said
