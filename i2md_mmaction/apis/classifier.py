"""From skeletons to class names in one call."""

from dataclasses import dataclass
from typing import List, Optional, Tuple

import numpy as np
import torch

from ..datasets import class_names
from ..evaluation.inference import score_clips
from .clips import Clips
from .inferencer import Inferencer


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of S clips.

    Args:
        names: Their names.
        frames: (S, 2), first and last frame of each in what it was cut from.
        classes: Names of the classes.
        probabilities: (S, classes), float32; each row sums to 1.
    """

    names: List[str]
    frames: np.ndarray
    classes: List[str]
    probabilities: np.ndarray

    def top(self, k: int = 5) -> List[List[Tuple[str, float]]]:
        """The k likeliest classes of each clip with their probabilities, the likeliest first.

        Example:
            >>> probabilities = np.array([[0.25, 0.5, 0.25]])
            >>> Predictions(['a'], np.array([[0, 9]]), ['sit', 'stand', 'wave'], probabilities).top(2)
            [[('stand', 0.5), ('sit', 0.25)]]
        """
        order = np.argsort(-self.probabilities, axis=1, kind='stable')[:, :k]
        return [
            [(self.classes[label], float(row[label])) for label in likeliest]
            for row, likeliest in zip(self.probabilities, order)
        ]


class SkeletonClassifierInferencer(Inferencer):
    """A trained classifier, from its checkpoint alone.

    The names of its classes are those of the file that it was trained on, or of
    a known data set; else they are numbers.

    Args:
        checkpoint: Checkpoint of a :class:`~i2md_mmaction.models.SkeletonClassifier`;
            it carries its config.
        device: Where to compute; an accelerator, if there is one.
        config: The config, or its file, of a checkpoint that carries none.
        batch_size: Clips at a time.
        num_workers: Processes that prepare clips; 0 prepares them in this one.
        show_progress: Whether long work shows a progress bar.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointMismatch: If it is no checkpoint, or does not fit the config.
        ValueError: If it carries no config, or that of pre-training.

    Example:
        >>> classifier = SkeletonClassifierInferencer('work_dirs/linear/epoch_80.pth')  # doctest: +SKIP
        >>> classifier.classify(np.ones((64, 20, 3))).top(1)  # doctest: +SKIP
        [[('sit down', 0.93)]]
    """

    wanted = 'cls_head'
    remedy = 'embed with SkeletonEncoder, or give the checkpoint of a classifier'

    @property
    def classes(self) -> List[str]:
        """Names of the classes, in the order of the labels."""
        count = self.model.cls_head.num_classes
        stored = {'class_names': self.meta['classes']} if 'classes' in self.meta else {}
        named = class_names(stored, self.model.layout, count) or []
        return [named[label] if label < len(named) else str(label) for label in range(count)]

    def classify(
        self,
        data: Clips,
        split: Optional[str] = None,
        window: Optional[int] = None,
        stride: int = 16,
    ) -> Predictions:
        """Classifies clips under the view of evaluation.

        Args:
            data: As for :meth:`.SkeletonEncoder.encode`.
            split: Split of an annotation file; all samples by default.
            window: If given, each clip is cut into windows of so many frames,
                which labels a long recording over time; windows in which nobody
                is seen are left out.
            stride: Frames from the start of one window to that of the next.

        Raises:
            AnnotationError: If a clip must not be used; the message names it,
                what is wrong and the remedy.
        """
        dataset, frames = self.load(data, split, window, stride)
        progress = self.progress(dataset, 'classifying')
        scores, _ = score_clips(self.model, self.dataloader(dataset), progress)
        return Predictions(list(dataset.names), frames, self.classes, torch.softmax(scores, dim=1).numpy())
