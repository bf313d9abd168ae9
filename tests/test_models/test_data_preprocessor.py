"""From ragged samples to views."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from torch.nn.functional import interpolate

from i2md_mmaction.augmentations import build_augmentation
from i2md_mmaction.models import SkeletonViewPreprocessor

CROP = dict(type='TemporalCropResize', num_frames=8, min_frames=2)
VIEW = [CROP, dict(type='Shear'), dict(type='JointCorruption', num_joints=5)]
CENTRE = [dict(type='TemporalCenterResize', num_frames=8, ratio=1.0)]


@pytest.fixture
def batch():
    """Three samples of 12, 5 and 1 frames, the second of two persons."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((1, 12), (2, 5), (1, 1))
    return dict(
        inputs=[torch.randn(*shape, 25, 3, generator=generator) for shape in shapes],
        data_samples=[ActionDataSample(metainfo=dict(frame_dir=f'sample{i}')) for i in range(3)],
    )


def preprocessor(views=(VIEW, VIEW), **options):
    return SkeletonViewPreprocessor(train_views=views, test_view=CENTRE, **options)


def test_samples_are_padded_with_zeros_behind_and_by_absent_persons(batch):
    padded, lengths = preprocessor().pad(batch['inputs'])
    assert padded.shape == (3, 2, 12, 25, 3) and lengths.tolist() == [12, 5, 1]
    for sample, own in zip(padded, batch['inputs']):
        persons, frames = own.shape[:2]
        assert torch.equal(sample[:persons, :frames], own)
        assert sample.count_nonzero() == own.count_nonzero()


def test_a_training_batch_becomes_a_tuple_of_views_drawn_one_after_the_other(batch):
    padded, lengths = preprocessor().pad(batch['inputs'])
    torch.manual_seed(3)
    expected = [build_augmentation(VIEW).augment(padded, lengths)[0] for _ in range(2)]
    torch.manual_seed(3)
    views = preprocessor()(batch, training=True)['inputs']
    assert isinstance(views, tuple) and all(torch.equal(view, own) for view, own in zip(views, expected))
    assert len(views) == 2 and not torch.equal(*views)


def test_each_view_has_augmentations_of_its_own(batch):
    views = preprocessor(views=(CENTRE, VIEW, [dict(CROP, num_frames=4)]))(batch, training=True)['inputs']
    assert [tuple(view.shape) for view in views] == [(3, 2, frames, 25, 3) for frames in (8, 8, 4)]


def test_a_single_training_view_is_no_tuple(batch):
    view = preprocessor(views=[VIEW])(batch, training=True)['inputs']
    assert view.shape == (3, 2, 8, 25, 3)


def test_evaluation_makes_one_view_without_chance(batch):
    torch.manual_seed(0)
    views = [preprocessor()(batch, training=False) for _ in range(2)]
    assert torch.equal(views[0]['inputs'], views[1]['inputs'])
    for view, own in zip(views[0]['inputs'], batch['inputs']):
        rows = own.double().permute(0, 2, 3, 1).flatten(1, 2)  # (M, V * C, T)
        rows = interpolate(rows, size=8, mode='linear', align_corners=False)
        expected = rows.view(len(own), 25, 3, 8).permute(0, 3, 1, 2)
        torch.testing.assert_close(view[: len(own)].double(), expected, atol=1e-5, rtol=0)
    assert [sample.frame_dir for sample in views[0]['data_samples']] == ['sample0', 'sample1', 'sample2']


@pytest.mark.parametrize('dtype', [torch.float16, torch.float64])
def test_views_are_float32_whatever_came(batch, dtype):
    batch['inputs'] = [sample.to(dtype) for sample in batch['inputs']]
    for view in preprocessor()(batch, training=True)['inputs']:
        assert view.dtype == torch.float32


def test_geometry_keeps_its_precision_under_autocast(batch):
    views = []
    for enabled in (False, True):
        torch.manual_seed(0)
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            views.append(preprocessor()(batch, training=True)['inputs'][0])
    assert views[1].dtype == torch.float32 and torch.equal(*views)


def test_views_carry_no_gradient_and_leave_the_samples_as_they_are(batch):
    before = [sample.clone() for sample in batch['inputs']]
    assert not any(view.requires_grad for view in preprocessor()(batch, training=True)['inputs'])
    assert all(torch.equal(sample, old) for sample, old in zip(batch['inputs'], before))


@pytest.mark.parametrize('shape', [(1, 9, 20, 3), (3, 9, 25, 3), (1, 0, 25, 3)])
def test_a_sample_that_does_not_fit_is_refused_naming_it_and_the_remedy(batch, shape):
    batch['inputs'][1] = torch.ones(shape)
    with pytest.raises(ValueError) as error:
        preprocessor()(batch, training=True)
    for part in ('sample sample1', str(shape), "'ntu25' of 25 joints", 'up to 2 persons', 'set `layout`'):
        assert part in str(error.value)


def test_a_sample_that_does_not_fit_is_numbered_where_names_are_unknown(batch):
    batch['inputs'][2] = torch.ones(1, 9, 20, 3)
    with pytest.raises(ValueError, match='sample 2: keypoint'):
        preprocessor()(dict(inputs=batch['inputs']), training=True)


def test_a_preprocessor_without_training_views_is_refused():
    with pytest.raises(ValueError, match='train_views is empty'):
        preprocessor(views=())


FLIP, MIRROR, BLUR = (
    dict(type=name) for name in ('TemporalFlip', 'TemporalMirrorCrop', 'TemporalGaussianBlur')
)
RESIZE = dict(type='TemporalCenterResize', num_frames=8)


@pytest.mark.parametrize(
    'view, said',
    [
        ([dict(type='Shear')], 'has no resize'),
        ([FLIP], 'runs TemporalFlip before any resize'),
        ([dict(type='Shear'), FLIP, RESIZE], 'runs TemporalFlip before any resize'),
        ([MIRROR, RESIZE], 'runs TemporalMirrorCrop before any resize'),
        ([BLUR, RESIZE], 'runs TemporalGaussianBlur before any resize'),
        (
            [dict(type='OneOfAugmentations', transforms=[dict(type='Shear'), FLIP]), RESIZE],
            'OneOfAugmentations',
        ),
        ([dict(type='ComposeAugmentations', transforms=[FLIP, RESIZE])], 'ComposeAugmentations'),
    ],
)
def test_padding_that_would_be_taken_for_frames_is_refused(batch, view, said):
    with pytest.raises(ValueError, match=f'view 2 .*{said}.*1 to 12 frames.*Begin the view with Temporal'):
        preprocessor(views=(VIEW, view))(batch, training=True)
    with pytest.raises(ValueError, match='test_view'):
        SkeletonViewPreprocessor(train_views=[VIEW], test_view=view)(batch, training=False)
    # Samples of one length have no padding.
    batch['inputs'] = [sample[:, :1] for sample in batch['inputs']]
    assert len(preprocessor(views=(VIEW, view))(batch, training=True)['inputs']) == 2


@pytest.mark.parametrize(
    'view',
    [
        [RESIZE, FLIP, MIRROR, BLUR],
        [dict(type='Shear'), RESIZE, FLIP],
        [dict(type='ComposeAugmentations', transforms=[RESIZE]), FLIP],
    ],
)
def test_after_a_resize_every_frame_is_one(batch, view):
    assert preprocessor(views=[view])(batch, training=True)['inputs'].shape == (3, 2, 8, 25, 3)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_a_sample_that_is_not_finite_is_refused_by_name(batch, value):
    batch['inputs'][1][0, 2, 3, 1] = value
    with pytest.raises(ValueError, match='keypoints of 1 samples are NaN or infinite.*: sample1; repair'):
        preprocessor()(batch, training=True)


def test_large_but_finite_values_are_no_error(batch):
    batch['inputs'][1].fill_(3e38)
    assert preprocessor().pad(batch['inputs'])[0].isinf().sum() == 0
