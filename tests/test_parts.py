"""What is stated once reaches the parts, and a contradiction is refused."""

import pytest
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from i2md_mmaction.datasets import SkeletonDataset
from i2md_mmaction.parts import fill_in


def model(**options):
    flip = dict(type='OneOfAugmentations', transforms=[dict(type='Shear'), [dict(type='SpatialFlip')]])
    views = dict(type='SkeletonViewPreprocessor', train_views=[[flip]] * 2)
    backbone = dict(type='BiGRU', hidden_channels=4, num_layers=1)
    config = dict(type='SkeletonMoCo', layout='kinect20', num_persons=1, streams=('joint',))
    config.update(backbone=backbone, data_preprocessor=views, bank=dict(type='MemoryBank', size=8))
    return MODELS.build({**config, **options})


def test_only_what_a_class_takes_is_filled_in_and_the_config_is_left_alone():
    config = dict(type='SlimSTGCN', base_channels=4)
    filled = fill_in(config, MODELS, layout='kinect20', num_persons=1)  # SlimSTGCN takes any persons
    assert filled == dict(type='SlimSTGCN', base_channels=4, layout='kinect20')
    assert config == dict(type='SlimSTGCN', base_channels=4)


def test_a_model_hands_layout_and_persons_to_backbone_preprocessor_and_augmentations():
    built = model()
    assert built.streams['joint'].query.backbone.input_norm.num_features == 20 * 1 * 3
    views = built.data_preprocessor
    assert (views.num_joints, views.num_persons) == (20, 1)
    flip = views.train_views[0].transforms[0].transforms[1].transforms[0]
    assert len(flip.mirror) == 20


@pytest.mark.parametrize('part', ['backbone', 'data_preprocessor'])
def test_a_part_that_contradicts_its_model_is_refused(part):
    configs = dict(
        backbone=dict(type='BiGRU', layout='ntu25'),
        data_preprocessor=dict(type='SkeletonViewPreprocessor', train_views=[[]], layout='ntu25'),
    )
    with pytest.raises(ValueError, match=r"layout='ntu25', but .* has layout='kinect20'; state it once"):
        model(**{part: configs[part]})


def test_a_transform_that_contradicts_its_data_set_is_refused(ntu_pickle):
    init_default_scope('mmaction')

    def build(**step):
        pipeline = [dict(type='SkeletonPreNormalize', **step), dict(type='PackActionInputs')]
        return SkeletonDataset(str(ntu_pickle), pipeline, layout='ntu25')

    build()
    with pytest.raises(ValueError, match='state it once'):
        build(layout='coco17')
