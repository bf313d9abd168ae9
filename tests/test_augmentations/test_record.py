"""What is noted of augmentations is what was applied, and noting it changes no draw."""

import pytest
import torch

from i2md_mmaction.augmentations import (
    AxisMask,
    ComposeAugmentations,
    JointCorruption,
    OneOfAugmentations,
    RandomRotation,
    Shear,
    TemporalCropResize,
    TemporalFlip,
    TemporalGaussianBlur,
    recording,
)

LENGTHS = torch.full((32,), 20)


@pytest.fixture
def keypoint():
    return torch.rand(32, 1, 20, 25, 3, generator=torch.Generator().manual_seed(1)) + 1


def augmented(augmentation, keypoint, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with recording() as applied:
        result, _ = augmentation.augment(keypoint, LENGTHS, generator)
    return result, applied


def test_noting_changes_nothing(keypoint):
    chain = ComposeAugmentations([dict(type='TemporalCropResize', num_frames=9), dict(type='Shear')])
    with_notes, applied = augmented(chain, keypoint)
    plain, _ = chain.augment(keypoint, LENGTHS, torch.Generator().manual_seed(0))
    assert torch.equal(with_notes, plain)
    assert [type(one.augmentation) for one in applied] == [TemporalCropResize, Shear]


def test_a_sample_that_was_left_alone_has_no_note(keypoint):
    result, [applied] = augmented(AxisMask(p=0.5), keypoint)
    noted = [applied.describe(sample) for sample in range(32)]
    changed = (result != keypoint).flatten(1).any(dim=1).tolist()
    assert [note is not None for note in noted] == changed and 0 < sum(changed) < 32
    for sample, note in enumerate(noted):
        if note is not None:
            [axis] = (result[sample] == 0).all(dim=(0, 1, 2)).nonzero().flatten().tolist()
            assert note == f'AxisMask of {"xyz"[axis]}'


def test_only_the_augmentation_that_was_chosen_is_noted(keypoint):
    choice = OneOfAugmentations([Shear(0.5), OneOfAugmentations([JointCorruption(8), TemporalFlip(p=0.5)])])
    result, applied = augmented(choice, keypoint)
    seen = set()
    for sample in range(32):
        notes = [note for note in (one.describe(sample) for one in applied) if note]
        assert len(notes) == (0 if torch.equal(result[sample], keypoint[sample]) else 1)
        seen.update(note.split()[0] for note in notes)
        if notes and notes[0].startswith('JointCorruption'):
            joints = (result[sample] != keypoint[sample]).any(dim=-1).all(dim=(0, 1)).sum()
            zeroed = bool((result[sample] == 0).any())
            assert notes == [f'JointCorruption {joints} joints {"zeroed" if zeroed else "mixed"}']
        if notes == ['TemporalFlip']:
            assert torch.equal(result[sample], keypoint[sample].flip(1))
    assert seen == {'Shear', 'JointCorruption', 'TemporalFlip'}


def test_what_was_drawn_is_said(keypoint):
    cases = (
        (TemporalCropResize(4, min_frames=3), dict(start=3, span=5), 'of frames 3 to 7'),
        (RandomRotation(), dict(angles=[0.0, 0.5236, 0.0]), 'by 0°, 30°, 0°'),
        (Shear(), dict(matrix=[[1.0, 0, 0.25], [0, 1, -0.5], [0, 0, 1]]), 'by up to 0.50'),
        (TemporalGaussianBlur(), dict(sigma=1.25), 'sigma 1.25'),
        (TemporalFlip(), {}, ''),
    )
    for augmentation, drawn, said in cases:
        assert augmentation.describe(**{name: torch.tensor(value) for name, value in drawn.items()}) == said


def test_nothing_is_noted_outside_of_the_block(keypoint):
    with recording() as applied:
        pass
    Shear().augment(keypoint, LENGTHS)
    assert applied == []
