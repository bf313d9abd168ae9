"""One stream as one graph of tensors, from joints as they are recorded to its output."""

from typing import Optional, Sequence

import torch
from torch import Tensor, nn

from ..augmentations import ComposeAugmentations
from ..datasets import SkeletonPreNormalize
from ..models import SkeletonEncoder


class NormalizeJoints(nn.Module):
    """What a :class:`.SkeletonPreNormalize` does, on a batch of tensors.

    It holds for every batch and every number of frames, and nothing in it depends on values in a way that a
    graph could not hold.

    Args:
        transform: The transform to do alike.

    Example:
        >>> keypoint = torch.rand(2, 2, 30, 25, 3)
        >>> ours = NormalizeJoints(SkeletonPreNormalize())(keypoint)
        >>> theirs = SkeletonPreNormalize()(dict(keypoint=keypoint[0].numpy()))['keypoint']
        >>> torch.allclose(ours[0], torch.from_numpy(theirs), atol=1e-5)
        True
    """

    def __init__(self, transform: SkeletonPreNormalize) -> None:
        super().__init__()
        self.center = transform.center
        self.center_joint = transform.layout.center
        self.origin = list(transform.layout.origin)
        self.scale_body = transform.scale_body
        self.max_frames = transform.max_frames
        self.lines = [(list(start), list(end)) for start, end, _ in transform.alignments]
        for number, (*_, axis) in enumerate(transform.alignments):
            self.register_buffer(f'axis_{number}', torch.from_numpy(axis), persistent=False)

    def forward(self, keypoint: Tensor) -> Tensor:
        """Normalises joints (B, M, T, V, C); frames beyond ``max_frames`` are not to be used."""
        keypoint = self._fill_null_frames(keypoint)
        seen = (keypoint != 0).any(dim=-1, keepdim=True)
        if self.center:
            keypoint = (keypoint - self._center(keypoint)) * seen
        for number, (start, end) in enumerate(self.lines):
            first = keypoint[:, 0, 0]
            direction = first[:, end].mean(dim=1) - first[:, start].mean(dim=1)
            rotation = rotation_to(direction, getattr(self, f'axis_{number}'))
            keypoint = torch.einsum('bmtvc,bdc->bmtvd', keypoint, rotation)
        if self.scale_body:
            keypoint = keypoint / self._body_size(keypoint[:, 0])[:, None, None, None, None]
        return keypoint

    def _frames(self, keypoint: Tensor) -> Tensor:
        """Numbers of the frames (T,)."""
        return torch.arange(keypoint.size(2), device=keypoint.device)

    def _fill_null_frames(self, keypoint: Tensor) -> Tensor:
        """Closes gaps before and after a person, by the frame that each frame is taken from."""
        frames = self._frames(keypoint)
        present = (keypoint != 0).any(dim=-1).any(dim=-1) & (frames < self.max_frames)  # (B, M, T)
        leading = ~present[..., :1]  # a person whose null frames are all removed
        last = torch.where(present, frames + 1, 0).amax(dim=-1, keepdim=True)
        count = torch.where(leading, present.sum(dim=-1, keepdim=True), last).clamp(min=1)
        position = frames % count
        order = torch.where(present, frames, frames + keypoint.size(2)).argsort(dim=-1)
        index = torch.where(leading, order.gather(-1, position), position)
        return keypoint.gather(2, index[..., None, None].expand(keypoint.shape))

    def _center(self, keypoint: Tensor) -> Tensor:
        """What is subtracted, broadcasting against (B, M, T, V, C)."""
        if self.center == 'person':
            return keypoint[:, :, :, self.center_joint, None]
        joints = keypoint[:, 0][:, :, self.origin]  # (B, T, J, C)
        seen = (joints != 0).any(dim=-1).any(dim=1)[:, None, :, None]
        origin = (joints * seen).sum(dim=2, keepdim=True) / seen.sum(dim=2, keepdim=True).clamp(min=1)
        return (origin if self.center == 'frame' else origin[:, :1])[:, None]

    def _body_size(self, person: Tensor) -> Tensor:
        """The centroid size (B,) of persons (B, T, V, C): median over the frames in which each is seen."""
        seen = (person != 0).any(dim=-1, keepdim=True)
        joints = seen.sum(dim=2, keepdim=True).clamp(min=1)
        offsets = (person - (person * seen).sum(dim=2, keepdim=True) / joints) * seen
        sizes = (offsets.square().sum(dim=2) / joints[:, :, 0]).sum(dim=-1).sqrt()  # (B, T)
        frames = torch.arange(person.size(1), device=person.device)
        counted = seen[..., 0].any(dim=-1) & (frames < self.max_frames)
        ordered = torch.where(counted, sizes, torch.inf).sort(dim=1).values
        count = counted.sum(dim=1, keepdim=True)
        middle = torch.cat(((count - 1).clamp(min=0) // 2, count // 2), dim=1).clamp(max=person.size(1) - 1)
        size = ordered.gather(1, middle).mean(dim=1)
        return torch.where((count[:, 0] > 0) & (size > 0), size, 1.0)


def rotation_to(source: Tensor, axis: Tensor) -> Tensor:
    """The smallest rotations (B, 3, 3) that turn sources (B, 3) towards one axis (3,) of the frame.

    In float64: close to the opposite of the axis, float32 has few digits left. No rotation where a source has
    no direction.

    Example:
        >>> axis = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
        >>> rotation_to(torch.tensor([[0.0, 2.0, 0.0]]), axis)[0] @ torch.tensor([0.0, 2.0, 0.0])
        tensor([0., 0., 2.])
    """
    length = source.double().norm(dim=1, keepdim=True)
    direction = source.double() / length.clamp(min=1e-6)
    cosine = (direction * axis).sum(dim=1)[:, None, None]
    turned = torch.linalg.cross(direction, axis.expand_as(direction))
    zero = torch.zeros_like(turned[:, 0])
    x, y, z = turned.unbind(dim=1)
    skew = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=1).view(-1, 3, 3)
    identity = torch.eye(3, dtype=axis.dtype, device=axis.device)
    rotation = identity + skew + skew @ skew / (1 + cosine).clamp(min=1e-12)
    # Half a turn about an axis that is at right angles, the same that scipy takes.
    about = axis.roll(-1)
    half_turn = 2 * about[:, None] * about - identity
    rotation = torch.where(1 + cosine < 1e-12, half_turn, rotation)
    return torch.where(length[:, :, None] < 1e-6, identity, rotation).to(source.dtype)


class StreamGraph(nn.Module):
    """Joints (B, M, T, V, C) in, one stream's embedding or a classifier's probabilities out.

    Args:
        encoder: Encoder of the stream, whose modality is part of the graph.
        view: The view of evaluation, which resizes to the encoder's frames.
        normalize: The pre-normalisation; None where the data set has none.
        head: Head of a classifier.
    """

    def __init__(
        self,
        encoder: SkeletonEncoder,
        view: ComposeAugmentations,
        normalize: Optional[SkeletonPreNormalize] = None,
        head: Optional[nn.Module] = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.view = view
        self.normalize = None if normalize is None else NormalizeJoints(normalize)
        self.max_frames = None if normalize is None else normalize.max_frames
        self.head = head

    def forward(self, keypoint: Tensor) -> Tensor:
        """Embeds (B, H) or classifies (B, classes), every frame being valid."""
        lengths = torch.full_like(keypoint[:, 0, 0, 0, 0], keypoint.size(2), dtype=torch.long)
        if self.normalize is not None:
            keypoint = self.normalize(keypoint)
            lengths = lengths.clamp(max=self.max_frames)
        hidden = self.encoder.extract(self.view.augment(keypoint, lengths)[0])
        return hidden if self.head is None else self.head(hidden).softmax(dim=1)


def left_out(steps: Sequence) -> list:
    """Names of the steps of a pipeline that come before the pre-normalisation, which no graph holds.

    Raises:
        ValueError: If a step that changes joints comes after it.
    """
    names = [type(step).__name__ for step in steps]
    start = names.index('SkeletonPreNormalize') if 'SkeletonPreNormalize' in names else len(names)
    after = [name for name in names[start + 1 :] if name != 'PackActionInputs']
    if after:
        raise ValueError(
            f'the pipeline goes on with {after} after SkeletonPreNormalize; a graph cannot hold these'
        )
    return [name for name in names[:start] if name != 'PackActionInputs']
