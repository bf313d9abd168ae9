"""What every augmentation is: a batched draw, a pure function of it, a transform."""

from typing import Any, Dict, Optional, Tuple

import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from .record import note, numbers_in_words


class Augmentation(BaseTransform):
    """One augmentation, batched on any device and one sample at a time.

    A subclass says how its parameters are drawn, a value per sample
    (:meth:`draw`), and what they do (:meth:`apply`). The view preprocessor
    calls :meth:`augment` on whole batches on the device; in a mmaction2
    pipeline the same code runs on one sample through :meth:`transform`.

    Required Keys:

        - keypoint

    Modified Keys:

        - keypoint
        - total_frames
    """

    #: Probability with which a sample is augmented; augmentations that can be left out take ``p``.
    p = 1.0
    #: Whether the output has frames of its own number, all of them valid.
    resamples = False
    #: Whether it may meet frames that only pad a shorter sample at its end. Reversing time, for one,
    #: would turn them to the front.
    takes_padding = True

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws the parameters of a batch.

        Args:
            keypoint: (B, M, T, V, C).
            lengths: (B,), valid frames of each sample, at least 1.
            generator: Source of randomness on the device of ``keypoint``;
                None takes the default one, which the run's seed governs.

        Returns:
            Keyword arguments of :meth:`apply`, batched along B.
        """
        return {}

    def apply(self, keypoint: Tensor, **drawn: Any) -> Tensor:
        """Augments a batch (B, M, T, V, C) by drawn parameters; leaves its input as it is."""
        raise NotImplementedError

    def describe(self, **drawn: Tensor) -> str:
        """What was drawn for one sample in words; ``drawn`` is as for :meth:`apply`, without B."""
        return numbers_in_words(**drawn)

    def augment(
        self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator] = None
    ) -> Tuple[Tensor, Tensor]:
        """Draws and applies.

        Returns:
            The augmented batch and its valid lengths (B,).
        """
        drawn = self.draw(keypoint, lengths, generator)
        augmented, chosen = self.apply(keypoint, **drawn), None
        if self.p < 1:
            chosen = uniform(keypoint, lengths.shape, 0, 1, generator) < self.p
            augmented = torch.where(per_sample(chosen), augmented, keypoint)
        note(self, drawn, chosen)
        if self.resamples:
            lengths = torch.full_like(lengths, augmented.size(2))
        return augmented, lengths

    def transform(self, results: Dict) -> Dict:
        """Runs as a pipeline transform on one sample, keypoint (M, T, V, C)."""
        keypoint = torch.as_tensor(results['keypoint'], dtype=torch.float32)[None]
        lengths = torch.tensor([results.get('total_frames', keypoint.size(2))])
        augmented, lengths = self.augment(keypoint, lengths)
        results['keypoint'] = augmented[0].numpy()
        results['total_frames'] = int(lengths)
        return results


def uniform(
    keypoint: Tensor, shape: Tuple[int, ...], low: float, high: float, generator: Optional[torch.Generator]
) -> Tensor:
    """Draws U(low, high) in ``shape`` on the device of ``keypoint``."""
    return torch.rand(shape, generator=generator, device=keypoint.device) * (high - low) + low


def per_sample(values: Tensor) -> Tensor:
    """Reshapes (B,) so that it broadcasts against (B, M, T, V, C)."""
    return values.view(-1, 1, 1, 1, 1)
