"""What would fail after hours of training fails before the first step."""

import pytest
from mmengine.runner import Runner


@pytest.mark.parametrize(
    'options, said',
    [
        (
            dict(default_hooks=dict(checkpoint=dict(save_best='knn/top2'))),
            r"save_best names \['knn/top2'\].*it measures \['knn/top1', 'knn/top1_bone',",
        ),
        (dict(val_evaluator=dict(k=9)), 'k=9 neighbours of a bank of 8 samples; choose 1 to 8'),
        (
            dict(
                custom_hooks=[
                    dict(type='MoCoMemoryHook'),
                    dict(type='PretrainStageHook', stages=[dict(begin=0), dict(begin=9, minning=True)]),
                ]
            ),
            "SkeletonMoCo has no 'minning' that the stage from epoch 10 could set",
        ),
    ],
)
def test_what_would_fail_after_hours_fails_before_the_first_step(
    options, said, small_config, annotations, tmp_path, monkeypatch
):
    monkeypatch.setattr('i2md_mmaction.models.SkeletonMoCo.loss', lambda *_: pytest.fail('a step was taken'))
    config = small_config('moco_demo', annotations, tmp_path / 'run', 10, **options)
    with pytest.raises((ValueError, AttributeError), match=said):
        Runner.from_cfg(config).train()
