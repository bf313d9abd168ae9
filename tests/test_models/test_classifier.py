"""A classifier takes exactly one stream's query encoder, and a frozen one stays what it was."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import load_checkpoint

from i2md_mmaction.models.checkpoints import CheckpointMismatch, load_weights
from i2md_mmaction.skeletons import get_layout

BACKBONES = dict(
    BiGRU=dict(type='BiGRU', hidden_channels=4, num_layers=2),
    GCNTransformer=dict(
        type='GCNTransformer',
        gcn_channels=4,
        embed_dims=8,
        depth=1,
        num_heads=2,
        feedforward_channels=8,
        num_frames=8,
    ),
    SlimSTGCN=dict(type='SlimSTGCN', base_channels=4, embed_dims=8),
)


@pytest.fixture
def checkpoint(tmp_path):
    """Writes a pre-training checkpoint of two streams, after one step so that statistics differ."""

    def write(backbone, layout='kinect20', num_persons=1, **options):
        torch.manual_seed(3)
        config = dict(type='SkeletonMoCo', layout=layout, num_persons=num_persons, streams=('joint', 'bone'))
        config.update(backbone=backbone, bank=dict(type='MemoryBank', size=8), **options)
        model = MODELS.build(config)
        model.init_weights()
        views = torch.randn(2, 4, num_persons, 8, get_layout(layout).num_joints, 3)
        model.train()(tuple(views), mode='loss')
        path = tmp_path / 'pretrained.pth'
        text = Config(dict(model=config)).pretty_text
        torch.save(dict(meta=dict(cfg=text), state_dict=model.state_dict()), path)
        return path, model

    return write


def classifier(backbone, path=None, modality='joint', layout='kinect20', num_persons=1, **options):
    head = dict(type='EmbeddingClsHead', num_classes=5)
    pretrained = path and dict(checkpoint=str(path), **options.pop('pretrained', {}))
    torch.manual_seed(5)
    return MODELS.build(
        dict(
            type='SkeletonClassifier',
            backbone=copy.deepcopy(backbone),
            cls_head=head,
            modality=modality,
            layout=layout,
            num_persons=num_persons,
            pretrained=pretrained,
            **options,
        )
    )


def samples(count=4):
    return [ActionDataSample().set_gt_label(number % 5) for number in range(count)]


@pytest.mark.parametrize('name', BACKBONES)
@pytest.mark.parametrize('stream', ['joint', 'bone'])
def test_the_features_are_those_of_the_stream_that_was_named(name, stream, checkpoint):
    path, pretrained = checkpoint(BACKBONES[name])
    model = classifier(BACKBONES[name], path, stream).eval()
    model.init_weights()
    view = torch.randn(3, 1, 8, 20, 3)
    with torch.no_grad():
        expected = pretrained.eval()(view, mode='tensor')
        torch.testing.assert_close(model(view), expected[stream], rtol=0, atol=0)
    other = {'joint': 'bone', 'bone': 'joint'}[stream]
    assert not torch.allclose(model(view), expected[other])


def test_the_stream_may_be_another_than_the_modality(checkpoint):
    path, pretrained = checkpoint(BACKBONES['BiGRU'])
    model = classifier(BACKBONES['BiGRU'], path, 'joint', pretrained=dict(stream='bone'))
    model.init_weights()
    ours, theirs = (
        model.backbone.backbone.state_dict(),
        pretrained.streams['bone'].query.backbone.state_dict(),
    )
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_the_head_starts_small_and_the_scores_reach_the_samples(checkpoint):
    path, _ = checkpoint(BACKBONES['BiGRU'])
    model = classifier(BACKBONES['BiGRU'], path).eval()
    model.init_weights()
    assert 0.003 < model.cls_head.fc.weight.std() < 0.02 and not model.cls_head.fc.bias.any()
    view = torch.randn(4, 1, 8, 20, 3)
    predicted = model(view, samples(), mode='predict')
    expected = model(view) @ model.cls_head.fc.weight.T
    for sample, scores in zip(predicted, expected):
        torch.testing.assert_close(sample.pred_score, scores)
        assert sample.pred_label.item() == scores.argmax()


def step(model, optimizer, seed):
    view = torch.randn(4, 1, 8, 20, 3, generator=torch.Generator().manual_seed(seed))
    losses = model(view, samples(), mode='loss')
    optimizer.update_params(losses['loss_cls'])
    return losses


@pytest.mark.parametrize('name', BACKBONES)
def test_a_frozen_backbone_is_bit_identical_after_training_and_the_head_is_not(name, checkpoint):
    path, _ = checkpoint(BACKBONES[name])
    model = classifier(BACKBONES[name], path, freeze=True)
    model.init_weights()
    model.train()
    before = copy.deepcopy(model.state_dict())
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1, momentum=0.9))
    for seed in range(3):
        losses = step(model, optimizer, seed)
    assert set(losses) == {'loss_cls', 'top1_acc', 'top5_acc'}
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]) == key.startswith(('backbone.', 'data_preprocessor.')), key
    assert not model.backbone.training and model.cls_head.training


@pytest.mark.parametrize('name', BACKBONES)
def test_a_backbone_that_is_not_frozen_learns_and_moves_its_statistics(name, checkpoint):
    path, _ = checkpoint(BACKBONES[name])
    model = classifier(BACKBONES[name], path)
    model.init_weights()
    model.train()
    before = copy.deepcopy(model.state_dict())
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    step(model, optimizer, 0)
    step(model, optimizer, 1)
    moved = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert any('running_mean' in key for key in moved)
    assert any(key.startswith('backbone.') and key.endswith('weight') for key in moved)


def test_missing_and_unexpected_keys_are_an_error_that_names_them(checkpoint):
    path, _ = checkpoint(BACKBONES['BiGRU'])
    content = torch.load(path, weights_only=True)
    prefix = 'streams.joint.query.backbone.'
    content['state_dict'].pop(f'{prefix}input_norm.running_var')
    content['state_dict'][f'{prefix}extra.weight'] = torch.zeros(1)
    torch.save(content, path)
    with pytest.raises(CheckpointMismatch) as error:
        classifier(BACKBONES['BiGRU'], path).init_weights()
    assert 'missing 1 of 21: input_norm.running_var\n' in str(error.value)
    assert 'unexpected 1 of 21: extra.weight\n' in str(error.value)
    assert "Make the classifier's config from the one that it was pre-trained with" in str(error.value)


def test_another_width_is_an_error_that_names_both_shapes(checkpoint):
    path, _ = checkpoint(BACKBONES['BiGRU'])
    wider = dict(BACKBONES['BiGRU'], hidden_channels=6)
    with pytest.raises(CheckpointMismatch, match=r'\(12, 60\) in the checkpoint, \(18, 60\) in the model'):
        classifier(wider, path).init_weights()


def test_a_transfer_to_other_joints_is_refused_and_the_remedy_named(checkpoint):
    ntu = dict(layout='ntu25', num_persons=2)
    path, _ = checkpoint(BACKBONES['BiGRU'], **ntu)
    with pytest.raises(CheckpointMismatch) as error:
        classifier(BACKBONES['BiGRU'], path).init_weights()
    message = str(error.value)
    assert "pre-trained on layout 'ntu25', the classifier is built for 'kinect20'" in message
    assert "Pre-train on data of layout 'kinect20', or evaluate on data of layout 'ntu25'" in message
    # A bare state dict does not name its layout: the shapes tell.
    torch.save(torch.load(path, weights_only=True)['state_dict'], path)
    with pytest.raises(CheckpointMismatch, match=r'input_norm.weight.*\(150,\) in the checkpoint, \(60,\)'):
        classifier(BACKBONES['BiGRU'], path).init_weights()
    classifier(BACKBONES['BiGRU'], path, **ntu).init_weights()


def test_what_is_not_at_hand_is_named(checkpoint, tmp_path):
    path, _ = checkpoint(BACKBONES['BiGRU'])
    with pytest.raises(CheckpointMismatch, match=r"no stream 'motion'; it has \['bone', 'joint'\]"):
        classifier(BACKBONES['BiGRU'], path, 'motion').init_weights()
    with pytest.raises(FileNotFoundError, match='set model.pretrained.checkpoint to a file'):
        classifier(BACKBONES['BiGRU'], tmp_path / 'none.pth').init_weights()
    with pytest.raises(ValueError, match='add --cfg-options model.pretrained.checkpoint=FILE'):
        unnamed = classifier(BACKBONES['BiGRU'])
        unnamed.pretrained = dict(checkpoint=None)
        unnamed.init_weights()
    torch.save(dict(state_dict={'backbone.weight': torch.zeros(1)}), path)
    with pytest.raises(CheckpointMismatch, match='none: it is no pre-training checkpoint'):
        classifier(BACKBONES['BiGRU'], path).init_weights()


@pytest.mark.parametrize('road', ['torch', 'mmengine', 'ours'])
def test_a_classifier_of_version_0_1_loads_by_every_road(road, tmp_path):
    """There the backbone was a bare one, under names that began with ``backbone.`` once."""
    kept = classifier(BACKBONES['BiGRU']).eval()
    kept.init_weights()
    former = {
        name.replace('backbone.backbone.', 'backbone.'): value for name, value in kept.state_dict().items()
    }
    assert former.keys() != kept.state_dict().keys()
    path = tmp_path / 'former.pth'
    torch.save(dict(meta={}, state_dict=former), path)
    model = classifier(BACKBONES['BiGRU'], num_persons=1).eval()
    roads = dict(
        torch=lambda: model.load_state_dict(former),
        mmengine=lambda: load_checkpoint(model, str(path), map_location='cpu'),
        ours=lambda: load_weights(model, path),
    )
    view = torch.randn(3, 1, 8, 20, 3)
    with torch.no_grad():
        before = model(view, stage='head')
        roads[road]()
        assert torch.equal(model(view, stage='head'), kept(view, stage='head'))
        assert not torch.equal(before, kept(view, stage='head'))


def test_two_views_are_refused():
    model = classifier(BACKBONES['BiGRU'])
    with pytest.raises(TypeError, match='trains on one view, got 2'):
        model((torch.zeros(1, 1, 8, 20, 3),) * 2)


def test_a_backbone_without_a_width_needs_one_in_the_head():
    backbone = dict(type='STGCN', graph_cfg=dict(layout=get_layout('kinect20').graph_layout()))
    with pytest.raises(
        ValueError,
        match=r'STGCN has no embed_dims; .*in_channels of the projector or the classification head',
    ):
        classifier(backbone)


def test_scores_that_are_not_finite_are_no_prediction():
    model = classifier(BACKBONES['BiGRU'])
    samples = [ActionDataSample(metainfo=dict(frame_dir=f'sample{number}')) for number in range(3)]
    scores = torch.randn(3, 10)
    assert len(model.cls_head.predict_by_feat(scores, samples)) == 3
    scores[1, 4] = float('nan')
    with pytest.raises(ValueError, match=r"class scores of 1 of 3 samples .* the first \['sample1'\]"):
        model.cls_head.predict_by_feat(scores, samples)


def test_a_classifier_needs_to_know_its_number_of_classes():
    with pytest.raises(ValueError, match='number of classes is nowhere named; set num_classes'):
        MODELS.build(
            dict(
                type='SkeletonClassifier',
                backbone=BACKBONES['BiGRU'],
                cls_head=dict(type='EmbeddingClsHead', num_classes=None),
            )
        )
