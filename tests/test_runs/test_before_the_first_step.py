"""What would fail after hours of training fails before the first step."""

import pickle
from pathlib import Path

import pytest
from mmengine.runner import Runner

from i2md_mmaction.protocols import downstream_config


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
        (
            dict(train_dataloader=dict(batch_size=9, drop_last=True)),
            'no batch of 8 samples is whole.*lower batch',
        ),
        (
            dict(default_hooks=dict(memory=dict(_delete_=True, type='SubsetRecordHook'))),
            'nothing hands the keys of SkeletonMoCo to its bank; add memory=dict',
        ),
        (
            dict(model=dict(num_persons=1), train_dataloader=dict(dataset=dict(num_persons=2))),
            'train_dataloader: .*tiny.pkl may have 2 persons, the model takes 1',
        ),
        (
            dict(model=dict(num_coordinates=2)),
            'train_dataloader: .*tiny.pkl has joints of 3 coordinates, the model takes 2; set `num_coord',
        ),
        (
            dict(model=dict(layout='kinect20')),
            "train_dataloader: .*tiny.pkl is of layout 'ntu25', the model of 'kinect20'",
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


def test_a_head_of_too_few_classes_is_refused_before_the_first_step(pretraining, tmp_path):
    config = downstream_config(pretraining[1], 'linear', Path(__file__).parents[2] / 'configs/downstream')
    backends = [dict(type='LocalVisBackend')]
    visualizer = dict(vis_backends=backends, name=str(tmp_path))
    config.merge_from_dict(
        dict(
            model=dict(cls_head=dict(num_classes=3), pretrained=None),
            work_dir=str(tmp_path),
            vis_backends=backends,
            visualizer=visualizer,
        )
    )
    with pytest.raises(ValueError, match='has labels up to 3, the head 3 classes; set model.cls_head'):
        Runner.from_cfg(config).train()


@pytest.mark.parametrize('split, shared', [('train', 8), ('others', 0)])
def test_samples_that_are_trained_on_and_validated_are_counted(
    split, shared, small_config, annotations, tmp_path, monkeypatch
):
    content = pickle.loads(annotations.read_bytes())
    others = [dict(sample, frame_dir=f'other_{sample["frame_dir"]}') for sample in content['annotations']]
    content['split']['others'] = [sample['frame_dir'] for sample in others]
    content['annotations'] += others
    annotations.write_bytes(pickle.dumps(content))
    config = small_config('moco_demo', annotations, tmp_path / split, 1)
    config.merge_from_dict(dict(val_dataloader=dict(dataset=dict(split=split))))
    runner, said = Runner.from_cfg(config), []
    monkeypatch.setattr(runner.logger, 'warning', lambda text, *_: said.append(text))
    runner.train()
    found = [text for text in said if 'trained on and validated' in text]
    assert [int(text.split()[0]) for text in found] == [shared] * bool(shared)
