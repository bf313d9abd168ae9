"""From a ragged batch on the host to views on the device."""

from typing import Dict, List, Optional, Sequence, Tuple

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ..augmentations import ComposeAugmentations, build_augmentation
from ..skeletons import get_layout


@MODELS.register_module()
class SkeletonViewPreprocessor(BaseDataPreprocessor):
    """Pads a batch, moves it to the device and makes its views there.

    Every random draw is per sample and comes from the device's default
    generator, which :class:`~i2md_mmaction.engine.StepSeedHook` seeds anew for
    each step, so that a resumed run draws what the unbroken one would have.

    Args:
        train_views: One list of augmentations for each view of a training
            sample: two or three for pre-training, one for a classifier. None
            trains on the view of evaluation, which is not augmented.
        test_view: The augmentations of the one view of evaluation.
        layout: Name of the skeleton layout. Within a model it is the model's,
            and the augmentations take it from here.
        num_persons: Persons M of a view; an absent person is zero.
        num_coordinates: Coordinates C of a joint.
        non_blocking: Whether the copy to the device may overlap with other work.

    Raises:
        ValueError: If no training view is given.

    Example:
        >>> preprocessor = SkeletonViewPreprocessor(train_views=[[dict(type='TemporalCropResize')]] * 2)
        >>> samples = [torch.rand(1, 20, 25, 3), torch.rand(2, 90, 25, 3)]  # (M, T, V, C)
        >>> query_view, key_view = preprocessor(dict(inputs=samples), training=True)['inputs']
        >>> query_view.shape  # (B, M, T, V, C)
        torch.Size([2, 2, 64, 25, 3])
    """

    def __init__(
        self,
        train_views: Optional[Sequence[Sequence[dict]]],
        test_view: Sequence[dict] = (dict(type='TemporalCenterResize'),),
        layout: str = 'ntu25',
        num_persons: int = 2,
        num_coordinates: int = 3,
        non_blocking: bool = True,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        if train_views is None:
            train_views = [test_view]
        if not train_views:
            raise ValueError('train_views is empty; give one list of augmentations for each view')
        self.train_views = [build_augmentation(list(view), layout) for view in train_views]
        self.test_view = build_augmentation(list(test_view), layout)
        self.num_joints = get_layout(layout).num_joints
        self.layout_name = layout
        self.num_persons = num_persons
        self.num_coordinates = num_coordinates

    def forward(self, data: Dict, training: bool = False) -> Dict:
        """Makes the views of a batch.

        Args:
            data: ``inputs``, a list of (M, T, V, C) with frames and persons of
                its own for each sample, and ``data_samples``.
            training: Whether to make the training views or the one of
                evaluation.

        Returns:
            ``inputs``, one view (B, M, T, V, C) or a tuple of them, float32 on
            the device, and ``data_samples``.

        Raises:
            ValueError: If a sample does not fit the layout or the persons, or
                is not finite, or if samples of different lengths meet a view
                that leaves their padding in.
        """
        data_samples = data.get('data_samples')
        keypoint, lengths = self.pad(data['inputs'], data_samples)
        chosen = self.train_views if training else [self.test_view]
        if int(lengths.min()) < int(lengths.max()):
            for number, view in enumerate(chosen):
                self._check_padding(view, f'view {number + 1}' if training else 'test_view', lengths)
        keypoint, lengths = self.cast_data((keypoint, lengths))
        # Geometry keeps its precision also under --amp.
        with torch.no_grad(), torch.autocast(keypoint.device.type, enabled=False):
            inputs = tuple(view.augment(keypoint, lengths)[0] for view in chosen)
        return dict(
            inputs=inputs[0] if len(inputs) == 1 else inputs, data_samples=self.cast_data(data_samples)
        )

    @staticmethod
    def _check_padding(view: ComposeAugmentations, name: str, lengths: Tensor) -> None:
        """Refuses a view in which the padding of shorter samples would be taken for frames."""
        culprit = view.meets_padding()
        if culprit is None and view.resamples:
            return
        problem = 'has no resize' if culprit is None else f'runs {type(culprit).__name__} before any resize'
        raise ValueError(
            f'{name} {problem}, but the samples have {int(lengths.min())} to {int(lengths.max())} frames: '
            'their padding would be taken for frames. Begin the view with TemporalCropResize or '
            'TemporalCenterResize'
        )

    def pad(self, samples: List[Tensor], data_samples: Sequence = None) -> Tuple[Tensor, Tensor]:
        """Pads samples (M, T, V, C) with zeros to one batch.

        Returns:
            The batch (B, num_persons, longest T, V, C), float32, and the valid
            frames (B,) of each sample.

        Raises:
            ValueError: If a sample has another shape or is not finite; names it.
        """
        for index, sample in enumerate(samples):
            persons, frames, *joint = sample.shape
            fits = joint == [self.num_joints, self.num_coordinates] and persons <= self.num_persons
            if not fits or frames == 0:
                name = data_samples[index].get('frame_dir', index) if data_samples else index
                raise ValueError(
                    f'sample {name}: keypoint {tuple(sample.shape)} (persons, frames, joints, coordinates) '
                    f'does not fit layout {self.layout_name!r} of {self.num_joints} joints with up to '
                    f'{self.num_persons} persons, at least 1 frame and {self.num_coordinates} coordinates; '
                    'set `layout`, `num_persons` and `num_coordinates` to those of the data'
                )
        lengths = torch.tensor([sample.size(1) for sample in samples])
        shape = (len(samples), self.num_persons, int(lengths.max()), *samples[0].shape[2:])
        # Pinned, so that the copy to an accelerator does not hold up the host.
        batch = torch.zeros(shape, dtype=torch.float32, pin_memory=self.device.type != 'cpu')
        for padded, sample in zip(batch, samples):
            padded[: sample.size(0), : sample.size(1)] = sample
        # On the host, where the samples are: no device is waited for.
        if not torch.isfinite(batch.sum()):
            self._refuse_non_finite(samples, data_samples)
        return batch, lengths

    @staticmethod
    def _refuse_non_finite(samples: List[Tensor], data_samples: Optional[Sequence]) -> None:
        """Names the samples that are not finite."""
        names = [
            str(data_samples[index].get('frame_dir', index) if data_samples else index)
            for index, sample in enumerate(samples)
            if not torch.isfinite(sample).all()
        ]
        if names:
            raise ValueError(
                f'keypoints of {len(names)} samples are NaN or infinite after the pipeline: '
                f'{", ".join(names[:5])}; repair or drop them, or look at what the transforms make of them'
            )
