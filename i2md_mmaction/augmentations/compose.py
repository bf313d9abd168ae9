"""Sequences of augmentations, and choices among them."""

from typing import Optional, Sequence, Tuple, Union

import torch
from mmaction.registry import TRANSFORMS
from torch import Tensor

from ..parts import fill_in
from .base import Augmentation, per_sample, uniform


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
        """Whether all do that come before the frames are resampled."""
        return self.meets_padding() is None

    def meets_padding(self) -> Optional[Augmentation]:
        """The first that would meet padding and must not; None if there is none."""
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
    """Applies to each sample one of several augmentations, each with equal probability.

    Source: CMD and I2MD take either shear or joint corruption. All of them are
    computed for the whole batch and the drawn one is kept, which on a device is
    cheaper than a choice that the host has to make.

    Args:
        transforms: Augmentations or their configs; none may change the number
            of frames.
        layout: As for :func:`build_augmentation`.

    Example:
        >>> pose = OneOfAugmentations([dict(type='Shear'), dict(type='JointCorruption', num_joints=5)])
        >>> pose.augment(torch.rand(4, 2, 8, 25, 3), torch.full((4,), 8))[0].shape
        torch.Size([4, 2, 8, 25, 3])
    """

    def __init__(self, transforms: Sequence, layout: Optional[str] = None) -> None:
        self.transforms = [build_augmentation(config, layout) for config in transforms]
        self.takes_padding = all(transform.takes_padding for transform in self.transforms)

    def augment(
        self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator] = None
    ) -> Tuple[Tensor, Tensor]:
        """Draws the choice (B,), then applies each to its samples."""
        choice = uniform(keypoint, lengths.shape, 0, len(self.transforms), generator).long()
        augmented = keypoint
        for index, transform in enumerate(self.transforms):
            candidate, _ = transform.augment(keypoint, lengths, generator)
            augmented = torch.where(per_sample(choice == index), candidate, augmented)
        return augmented, lengths
