"""Order, odds, and the two ways to run: a batch, and one sample of a pipeline."""

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS

from i2md_mmaction.augmentations import (
    ComposeAugmentations,
    JointCorruption,
    OneOfAugmentations,
    Shear,
    SpatialFlip,
    TemporalCenterResize,
    TemporalCropResize,
    build_augmentation,
)
from i2md_mmaction.skeletons import get_layout

SHEAR_OR_CORRUPTION = dict(type='OneOfAugmentations', transforms=[dict(type='Shear'), JointCorruption(3)])
VIEW = [dict(type='TemporalCropResize', num_frames=16, min_frames=4), SHEAR_OR_CORRUPTION]
SINGLE = [TemporalCropResize(8, min_frames=2), TemporalCenterResize(8), Shear(), JointCorruption(3)]
ALL = [*SINGLE, OneOfAugmentations([Shear(), JointCorruption(3)]), ComposeAugmentations(VIEW)]


def skeletons(batch=4, frames=20, seed=0):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, frames + 1, (batch,), generator=generator)
    return torch.randn(batch, 2, frames, 5, 3, generator=generator), lengths


def name(augmentation):
    return type(augmentation).__name__


@pytest.mark.parametrize('augmentation', SINGLE, ids=name)
def test_a_sample_becomes_the_same_alone_and_in_a_batch(augmentation):
    keypoint, lengths = skeletons()
    drawn = augmentation.draw(keypoint, lengths, torch.Generator().manual_seed(1))
    batched = augmentation.apply(keypoint, **drawn)
    for index in range(len(keypoint)):
        own = {parameter: value[index : index + 1] for parameter, value in drawn.items()}
        # Its own frames only, as a pipeline has them: padding takes no part.
        alone = keypoint[index : index + 1, :, : lengths[index]]
        single = augmentation.apply(alone, **own)
        torch.testing.assert_close(batched[index : index + 1, :, : single.size(2)], single)


@pytest.mark.parametrize('augmentation', ALL, ids=name)
def test_the_pipeline_transform_draws_what_a_batch_of_one_draws(augmentation):
    keypoint, _ = skeletons(batch=1)
    torch.manual_seed(7)
    expected, lengths = augmentation.augment(keypoint, torch.tensor([20]))
    torch.manual_seed(7)
    results = augmentation.transform(dict(keypoint=keypoint[0].numpy(), total_frames=20, label=3))
    np.testing.assert_array_equal(results['keypoint'], expected[0].numpy())
    assert (results['total_frames'], results['label']) == (int(lengths), 3)


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
def test_the_pipeline_transform_takes_any_float_and_gives_float32(dtype):
    keypoint = np.ones((1, 3, 5, 3), dtype)
    results = build_augmentation(VIEW).transform(dict(keypoint=keypoint))
    assert results['keypoint'].dtype == np.float32 and results['keypoint'].shape == (1, 16, 5, 3)


@pytest.mark.parametrize('augmentation', ALL, ids=name)
def test_the_input_is_left_as_it_is(augmentation):
    keypoint, lengths = skeletons()
    copies = keypoint.clone(), lengths.clone()
    augmentation.augment(keypoint, lengths)
    sample = keypoint[0].numpy()
    augmentation.transform(dict(keypoint=sample, total_frames=20))
    assert torch.equal(keypoint, copies[0]) and torch.equal(lengths, copies[1])


@pytest.mark.parametrize('augmentation', ALL, ids=name)
def test_the_same_generator_seed_gives_the_same_views(augmentation):
    keypoint, lengths = skeletons()
    first, again, other = (
        augmentation.augment(keypoint, lengths, torch.Generator().manual_seed(seed))[0] for seed in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert torch.equal(first, other) == isinstance(augmentation, TemporalCenterResize)


@pytest.mark.parametrize('augmentation', ALL, ids=name)
def test_a_given_generator_leaves_the_default_one_alone(augmentation):
    keypoint, lengths = skeletons()
    before = torch.get_rng_state()
    augmentation.augment(keypoint, lengths, torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_augmentations_are_composed_in_their_order():
    keypoint, lengths = skeletons()
    parts = [TemporalCropResize(16, min_frames=4), Shear(), JointCorruption(2)]
    view, valid = ComposeAugmentations(parts).augment(keypoint, lengths, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    expected, frames = keypoint, lengths
    for part in parts:
        expected, frames = part.augment(expected, frames, generator)
    assert torch.equal(view, expected) and valid.tolist() == frames.tolist() == [16] * 4


def test_each_sample_takes_exactly_one_of_the_choices_at_even_odds():
    class Scale(Shear):
        """Multiplies by a fixed factor."""

        def apply(self, keypoint, matrix):
            return keypoint * self.amplitude

    keypoint, lengths = torch.ones(3000, 1, 1, 1, 3), torch.ones(3000, dtype=torch.long)
    one_of = OneOfAugmentations([Scale(2.0), Scale(3.0), Scale(5.0)])
    scaled, _ = one_of.augment(keypoint, lengths, torch.Generator().manual_seed(0))
    factors, counts = scaled.flatten(1).unique(return_counts=True)
    assert factors.tolist() == [2, 3, 5] and (scaled.flatten(1) == scaled.flatten(1)[:, :1]).all()
    assert all(900 < count / 3 < 1100 for count in counts.tolist())


def test_a_list_is_composed_and_nested_configs_are_built():
    view = build_augmentation(VIEW)
    crop, one_of = view.transforms
    assert isinstance(view, ComposeAugmentations) and isinstance(crop, TemporalCropResize)
    assert [name(transform) for transform in one_of.transforms] == ['Shear', 'JointCorruption']


def test_a_transform_that_cannot_run_on_a_batch_is_refused():
    with pytest.raises(TypeError, match='PoseDecode cannot run on a batch.*dataset pipeline'):
        build_augmentation([dict(type='PoseDecode')])


@pytest.mark.parametrize(
    'member, named',
    [
        (TemporalCropResize(8), 'TemporalCropResize'),
        (dict(type='TemporalCenterResize', num_frames=16), 'TemporalCenterResize'),
        (VIEW, 'ComposeAugmentations'),
    ],
)
def test_a_choice_that_changes_the_number_of_frames_is_refused(member, named):
    with pytest.raises(ValueError, match=rf'^{named}, transforms\[1\] of OneOfAugmentations, .* before the'):
        OneOfAugmentations([dict(type='Shear'), member])


@pytest.mark.parametrize(
    'registered', ['ComposeAugmentations', 'JointCorruption', 'OneOfAugmentations', 'Shear']
)
def test_the_augmentations_are_known_to_mmaction2(registered):
    assert TRANSFORMS.get(registered).__module__.startswith('i2md_mmaction.augmentations')


FLIP = dict(type='SpatialFlip', p=1.0)
NESTED = [
    [dict(type='Shear'), FLIP],
    [[[FLIP]]],
    [dict(type='OneOfAugmentations', transforms=[dict(type='Shear'), [FLIP]])],
    [dict(type='ComposeAugmentations', transforms=[dict(type='OneOfAugmentations', transforms=[FLIP])])],
]


def flips(augmentation):
    """The spatial flips inside an augmentation, however deep."""
    if isinstance(augmentation, SpatialFlip):
        return [augmentation]
    return [flip for part in getattr(augmentation, 'transforms', ()) for flip in flips(part)]


@pytest.mark.parametrize('view', NESTED)
def test_a_layout_reaches_every_augmentation_that_takes_one_however_deep(view):
    for layout in ('kinect20', 'coco17'):
        (flip,) = flips(build_augmentation(view, layout))
        assert flip.mirror == get_layout(layout).mirror
    (flip,) = flips(build_augmentation(view))
    assert flip.mirror == get_layout('ntu25').mirror


@pytest.mark.parametrize('view', NESTED)
def test_an_augmentation_of_another_layout_is_refused_however_deep(view, monkeypatch):
    monkeypatch.setitem(FLIP, 'layout', 'coco17')
    with pytest.raises(ValueError, match="SpatialFlip is given layout='coco17', but .* layout='kinect20'"):
        build_augmentation(view, 'kinect20')
