"""Sequences of augmentations, and choices among them."""

from typing import Optional, Sequence, Tuple, Union

import torch
from mmaction.registry import TRANSFORMS
from torch import Tensor

from ..parts import fill_in
from .base import Augmentation, per_sample, uniform
from .record import only_for


def build_augmentation(
    config: Union[dict, Sequence, Augmentation], layout: Optional[str] = None
) -> Augmentation:
    """Builds one augmentation, a list of them as a :class:`ComposeAugmentations`.

    Args:
        config: Its config, a list of configs, or an augmentation as it is.
        layout: Name of the skeleton layout, for those that take one; None
            leaves them at theirs.

    Raises:
        TypeError: If what was built is no :class:`Augmentation`, so that it
            could not run on a batch.
    """
    if isinstance(config, (list, tuple)):
        return ComposeAugmentations(config, layout)
    augmentation = config
    if isinstance(config, dict):
        augmentation = TRANSFORMS.build(fill_in(config, TRANSFORMS, layout=layout))
    if not isinstance(augmentation, Augmentation):
        raise TypeError(
            f'{type(augmentation).__name__} cannot run on a batch: a view takes subclasses of '
            'i2md_mmaction.augmentations.Augmentation; put other transforms into the dataset pipeline'
        )
    return augmentation


@TRANSFORMS.register_module()
class ComposeAugmentations(Augmentation):
    """Applies augmentations one after the other.

    Args:
        transforms: Augmentations or their configs, in order.
        layout: As for :func:`build_augmentation`.

    Raises:
        TypeError: If one of them is no :class:`Augmentation`.

    Example:
        >>> view = ComposeAugmentations([dict(type='TemporalCropResize', num_frames=8), dict(type='Shear')])
        >>> keypoint, lengths = view.augment(torch.rand(4, 2, 30, 25, 3), torch.tensor([30, 7, 12, 1]))
        >>> tuple(keypoint.shape), lengths.tolist()
        ((4, 2, 8, 25, 3), [8, 8, 8, 8])
    """

    def __init__(self, transforms: Sequence, layout: Optional[str] = None) -> None:
        self.transforms = [build_augmentation(config, layout) for config in transforms]
        self.resamples = any(transform.resamples for transform in self.transforms)

    @property
    def takes_padding(self) -> bool:
        """Whether every augmentation before the first resize may meet padding."""
        return self.meets_padding() is None

    def meets_padding(self) -> Optional[Augmentation]:
        """The first augmentation that would meet padding and must not; None if there is none."""
        for transform in self.transforms:
            if not transform.takes_padding:
                return transform
            if transform.resamples:
                return None
        return None

    def augment(
        self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator] = None
    ) -> Tuple[Tensor, Tensor]:
        """Draws and applies each in turn."""
        for transform in self.transforms:
            keypoint, lengths = transform.augment(keypoint, lengths, generator)
        return keypoint, lengths


@TRANSFORMS.register_module()
class OneOfAugmentations(Augmentation):
    """Applies one of several augmentations to each sample, each with equal probability.

    Source: CMD and I2MD take either shear or joint corruption. All of them are
    computed for the whole batch, and the drawn result is kept for each sample. On
    a device this is cheaper than letting the host choose.

    Args:
        transforms: Augmentations or their configs; none may change the number
            of frames.
        layout: As for :func:`build_augmentation`.

    Raises:
        TypeError: If one of them is no :class:`Augmentation`.
        ValueError: If one of them resamples time.

    Example:
        >>> flips = OneOfAugmentations([dict(type='TemporalFlip', p=1), dict(type='TemporalFlip', p=0)])
        >>> keypoint = torch.arange(3.0).view(1, 1, 3, 1, 1).repeat(64, 1, 1, 1, 1)
        >>> augmented, _ = flips.augment(keypoint, lengths=torch.full((64,), 3))
        >>> augmented.view(64, 3).unique(dim=0).tolist()  # some samples are reversed, the others are not
        [[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]
    """

    def __init__(self, transforms: Sequence, layout: Optional[str] = None) -> None:
        self.transforms = [build_augmentation(config, layout) for config in transforms]
        for place, transform in enumerate(self.transforms):
            if transform.resamples:
                raise ValueError(
                    f'{type(transform).__name__}, transforms[{place}] of OneOfAugmentations, changes the '
                    'number of frames, which samples of a batch share; put it into the view before the choice'
                )
        self.takes_padding = all(transform.takes_padding for transform in self.transforms)

    def augment(
        self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator] = None
    ) -> Tuple[Tensor, Tensor]:
        """Draws the choice (B,), then applies each to its samples."""
        choice = uniform(keypoint, lengths.shape, 0, len(self.transforms), generator).long()
        augmented = keypoint
        for index, transform in enumerate(self.transforms):
            with only_for(choice == index):
                candidate, _ = transform.augment(keypoint, lengths, generator)
            augmented = torch.where(per_sample(choice == index), candidate, augmented)
        return augmented, lengths
