"""CPU transform of joints in images."""

from typing import Dict, Optional, Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class PixelNormalize(BaseTransform):
    """Brings the joints of an image to a plane that bodies stand upright in.

    The middle of the image becomes the origin, up becomes y, and half of the
    image's longer side the unit; sides keep their ratio, so that a body can be
    turned. (mmaction2's ``PreNormalize2D`` divides each side by its own half, and
    moves an absent person, who is all zeros, into a corner.) A joint that is not
    seen while others of the person are, as detectors leave it, is interpolated
    between the frames in which it is; one that is never seen stays zero.

    Required Keys:

        - keypoint, (M, T, V, 2) in pixels, y downward; absent joints are zero
        - keypoint_score, (M, T, V), optional
        - img_shape, (height, width), optional

    Modified Keys:

        - keypoint, float32

    Args:
        img_shape: (height, width) of images of samples that do not say it.
        min_score: A joint is seen if its score is above this; joints without
            scores are seen unless they are zero.

    Raises:
        ValueError: On use, if joints have not two coordinates, or the size of
            the image is nowhere said.

    Example:
        >>> keypoint = np.array([[960, 540], [1920, 540], [960, 60]], np.float32).reshape(1, 1, 3, 2)
        >>> sample = PixelNormalize()(dict(keypoint=keypoint, img_shape=(1080, 1920)))
        >>> sample['keypoint'].round(3) + 0.0  # the middle, the right side, high up
        array([[[[0. , 0. ],
                 [1. , 0. ],
                 [0. , 0.5]]]], dtype=float32)
    """

    def __init__(self, img_shape: Optional[Sequence[int]] = None, min_score: float = 0.0) -> None:
        self.img_shape = img_shape
        self.min_score = min_score

    def transform(self, results: Dict) -> Dict:
        """Normalises one sample."""
        name, pixels = results.get('frame_dir', '?'), np.asarray(results['keypoint'], dtype=np.float32)
        if pixels.shape[-1] != 2:
            raise ValueError(
                f'sample {name!r} has {pixels.shape[-1]} coordinates, joints of an image have two; take '
                'PixelNormalize out of the pipeline'
            )
        shape = results.get('img_shape', self.img_shape)
        if shape is None:
            raise ValueError(
                f'sample {name!r} does not say the size of its image (`img_shape`); set '
                'img_shape=(height, width) of PixelNormalize'
            )
        seen = pixels.any(axis=-1)  # (M, T, V)
        if 'keypoint_score' in results:
            seen &= results['keypoint_score'] > self.min_score
        height, width = shape
        unit = np.float32(max(height, width) / 2)
        plane = (pixels - np.float32([width / 2, height / 2])) / unit * np.float32([1, -1])
        # A joint in the very middle of the image is there: all zeros would say that it is not.
        plane[seen & ~plane.any(axis=-1)] = np.finfo(np.float32).eps
        results['keypoint'] = fill_missing_joints(plane, seen)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(img_shape={self.img_shape}, min_score={self.min_score})'


def fill_missing_joints(keypoint: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Interpolates joints that are missing in some frames of a person, linearly in time.

    Args:
        keypoint: (M, T, V, C).
        seen: (M, T, V), where a joint was seen.

    Returns:
        A new array (M, T, V, C), zero where a person is absent and for joints
        that are never seen.
    """
    filled = np.where(seen[..., None], keypoint, 0)
    frames = np.arange(keypoint.shape[1])
    present = seen.any(axis=2)  # (M, T)
    for person, joint in np.argwhere(seen.any(axis=1) & (present[:, :, None] & ~seen).any(axis=1)):
        known, wanted = np.flatnonzero(seen[person, :, joint]), present[person]
        for axis in range(keypoint.shape[-1]):
            values = filled[person, :, joint, axis]
            values[wanted] = np.interp(frames[wanted], known, values[known])
    return filled
