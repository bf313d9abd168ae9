"""From skeletons to embeddings in one call."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence

import numpy as np
import torch

from ..evaluation import concatenate_streams
from ..evaluation.inference import embed_split
from .clips import Clips
from .inferencer import Inferencer


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of S clips.

    Args:
        names: Their names.
        labels: (S,), -1 where there is none.
        frames: (S, 2), first and last frame of each in what it was cut from.
        streams: Stream -> (S, H), hidden embeddings, float32.
    """

    names: List[str]
    labels: np.ndarray
    frames: np.ndarray
    streams: Dict[str, np.ndarray]

    @property
    def joined(self) -> np.ndarray:
        """(S, sum of H), each stream scaled to unit length: cosines in it are the mean of the streams'."""
        streams = {name: torch.from_numpy(values) for name, values in self.streams.items()}
        return concatenate_streams(streams).numpy()


class SkeletonEncoder(Inferencer):
    """A pre-trained encoder, from its checkpoint alone.

    Not to be confused with the part of a model of that name, which is one
    stream (:class:`i2md_mmaction.models.SkeletonEncoder`).

    Args:
        checkpoint: Pre-training checkpoint; it carries its config.
        device: Where to compute; an accelerator, if there is one.
        config: The config, or its file, of a checkpoint that carries none, such
            as a converted one.
        batch_size: Clips at a time.
        num_workers: Processes that prepare clips; 0 prepares them in this one.
        show_progress: Whether long work shows a progress bar.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointMismatch: If it is no checkpoint, or does not fit the config.
        ValueError: If it carries no config, or that of a classifier.

    Example:
        >>> encoder = SkeletonEncoder('work_dirs/cmd_demo/epoch_12.pth')  # doctest: +SKIP
        >>> found = encoder.encode('data/demo.pkl', split='xview_val')  # doctest: +SKIP
        >>> len(found.names), found.streams['joint'].shape, found.joined.shape  # doctest: +SKIP
        (130, (130, 128), (130, 384))
    """

    wanted = 'streams'
    remedy = 'classify with SkeletonClassifierInferencer, or give the checkpoint of pre-training'

    @property
    def streams(self) -> List[str]:
        """Names of its streams."""
        return list(self.model.streams)

    def encode(
        self,
        data: Clips,
        streams: Optional[Sequence[str]] = None,
        split: Optional[str] = None,
        window: Optional[int] = None,
        stride: int = 16,
    ) -> Embeddings:
        """Embeds clips under the view of evaluation.

        Args:
            data: Joints (M, T, V, C), or (T, V, C) of one person, as an array or
                a tensor on any device; an annotation, a dictionary with
                ``keypoint``; a list of these; or an annotation file: its
                content, its pickle or its packed folder.
            streams: Streams to embed; all by default.
            split: Split of an annotation file; all samples by default.
            window: If given, each clip is cut into windows of so many frames,
                a row each; windows in which nobody is seen are left out.
            stride: Frames from the start of one window to that of the next.

        Raises:
            AnnotationError: If a clip must not be used; the message names it,
                what is wrong and the remedy.
            ValueError: If a stream is unknown.
        """
        unknown = sorted(set(streams or ()) - set(self.streams))
        if unknown:
            raise ValueError(f'the encoder has no streams {unknown}; it has {self.streams}')
        dataset, frames = self.load(data, split, window, stride)
        features, labels = embed_split(
            self.model,
            self.dataloader(dataset),
            streams=list(streams or self.streams),
            progress=self.progress(dataset, 'embedding'),
        )
        return Embeddings(
            names=list(dataset.names),
            labels=labels.numpy(),
            frames=frames,
            streams={name: feature.numpy() for name, feature in features.items()},
        )
