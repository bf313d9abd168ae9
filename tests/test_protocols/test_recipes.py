"""How a classifier is trained, and what a table says of it."""

from pathlib import Path

import pytest
from mmengine.config import Config

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


def test_a_protocol_may_train_on_the_views_of_pretraining(tmp_path):
    base = str(CONFIGS / 'downstream' / 'linear.py')
    (tmp_path / 'augmented.py').write_text(f"_base_ = {base!r}\ntrain_view = 'pretraining'\n")
    pretraining = Config.fromfile(CONFIGS / 'skeletonclr_nwucla_small.py')
    augmented = downstream_config(pretraining, 'augmented', tmp_path)
    plain = downstream_config(pretraining, 'linear', CONFIGS / 'downstream')
    views = pretraining.model.data_preprocessor
    assert augmented.model.data_preprocessor == {**views, 'train_views': views.train_views[:1]}
    assert [step.type for step in plain.model.data_preprocessor.train_views[0]] == ['TemporalCropResize']
    assert 'train_view' not in augmented
    (tmp_path / 'mistyped.py').write_text(f"_base_ = {base!r}\ntrain_view = 'pretrained'\n")
    with pytest.raises(ValueError, match="mistyped.py: train_view must be .* got 'pretrained'"):
        downstream_config(pretraining, 'mistyped', tmp_path)
