"""The demo data as a pose estimator would see them in a video: COCO's 17 joints in pixels, with scores."""

from typing import Tuple

import numpy as np

from ..skeletons import get_layout
from .demo import LAYOUT

COCO = get_layout('coco17')
IMG_SHAPE = (1080, 1920)  # height, width
FOCAL_LENGTH = 1060.0  # pixels; the colour camera of the Kinect that recorded NTU RGB+D has about this
# Where the face's joints lie from the middle of the head, metres: (right of the person, up, forward).
FACE = dict(
    nose=(0, -0.02, 0.10),
    left_eye=(-0.03, 0.03, 0.08),
    right_eye=(0.03, 0.03, 0.08),
    left_ear=(-0.07, 0, 0),
    right_ear=(0.07, 0, 0),
)


def film_dataset(data: dict, seed: int = 0) -> dict:
    """Films the demo data: projects their bodies into the images of a video.

    Args:
        data: What :func:`.demo.make_demo_dataset` made.
        seed: Seed of what the estimator misses, and of its scores.

    Returns:
        The same data set in the form of mmaction2's 2-D skeletons of NTU RGB+D:
        each annotation has ``keypoint``, float32 (M, T, 17, 2) in pixels, y
        downward, ``keypoint_score``, float32 (M, T, 17), and ``img_shape`` and
        ``original_shape``, (height, width). A joint that was missed and a
        person who is absent are zero, with a score of zero.

    Example:
        >>> from i2md_mmaction.datasets.demo import make_demo_dataset
        >>> sample = film_dataset(make_demo_dataset(1, 3))['annotations'][0]
        >>> sample['keypoint'].shape[2:], sample['keypoint_score'].shape[2:], sample['img_shape']
        ((17, 2), (17,), (1080, 1920))
    """
    rng = np.random.default_rng(seed)
    annotations = []
    for annotation in data['annotations']:
        pixels, scores = _estimate(project(coco_joints(annotation['keypoint'])), rng)
        frame = dict(img_shape=IMG_SHAPE, original_shape=IMG_SHAPE, keypoint=pixels, keypoint_score=scores)
        annotations.append({**annotation, **frame})
    return {**data, 'annotations': annotations}


def coco_joints(keypoint: np.ndarray) -> np.ndarray:
    """COCO's joints (M, T, 17, 3) of bodies (M, T, 25, 3) in the Kinect's camera frame; metres.

    The face is put onto the head, which looks where the chest does.
    """
    joints = {name: keypoint[..., index, :] for index, name in enumerate(LAYOUT.joints)}
    up = _unit(joints['head'] - joints['neck'])
    right = _unit(joints['right_shoulder'] - joints['left_shoulder'])
    axes = np.stack([right, up, np.cross(up, right)], axis=-2)  # (M, T, 3, 3), rows right, up, forward
    face = {name: joints['head'] + np.float32(offset) @ axes for name, offset in FACE.items()}
    return np.stack([{**joints, **face}[name] for name in COCO.joints], axis=-2)


def project(joints: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of joints (..., 3) in the Kinect's camera frame; nobody, all zeros, stays zero."""
    height, width = IMG_SHAPE
    x, y, depth = np.moveaxis(joints, -1, 0)
    seen = depth > 0
    scale = FOCAL_LENGTH / np.where(seen, depth, 1)
    # x grows to the right of a person who faces the camera, which is the left of the image.
    pixels = np.stack([width / 2 - scale * x, height / 2 - scale * y], axis=-1)
    return np.where(seen[..., None], pixels, 0)


def _estimate(pixels: np.ndarray, rng: np.random.Generator) -> Tuple[np.ndarray, np.ndarray]:
    """What an estimator reports of pixels (M, T, 17, 2): in some samples one joint is missed for a while."""
    scores = rng.uniform(0.5, 1.0, pixels.shape[:3])
    if rng.uniform() < 0.5:
        start, joint = rng.integers(pixels.shape[1]), rng.integers(pixels.shape[2])
        scores[:, start : start + int(rng.integers(3, 13)), joint] = 0
    scores *= pixels.any(axis=-1)
    return (pixels * (scores > 0)[..., None]).astype(np.float32), scores.astype(np.float32)


def _unit(vector: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) at length one; zero stays zero."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return vector / np.where(length > 0, length, 1)
