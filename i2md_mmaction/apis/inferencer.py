"""What encoder and classifier outside a run have in common: a model from its checkpoint, clips in batches."""

import warnings
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Union

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from torch.utils.data import DataLoader

from ..datasets import SkeletonDataset, SkeletonPreNormalize
from ..evaluation.inference import inner_dataset, load_model
from ..models.checkpoints import read_checkpoint
from ..models.stored_config import stored_config
from .clips import Clips, GivenSkeletons, cut_windows, open_clips


class Loaded(NamedTuple):
    """Clips that are ready for a model."""

    dataset: SkeletonDataset
    #: (S, 2), first and last frame of each clip in what it was cut from.
    frames: np.ndarray


class Inferencer:
    """A model with all that it needs beside its weights, taken from its checkpoint.

    The clips go the way of the test split of the checkpoint's config: checked,
    pre-normalised and resized as they were in evaluation. It follows MMEngine's
    ``BaseInferencer`` in its arguments, and does not derive from it: that would
    run the text of the config in the checkpoint, and visualises.

    Args:
        checkpoint: File of a run; it carries its config.
        device: Where to compute; an accelerator, if there is one.
        config: The config, or its file, of a checkpoint that carries none, such
            as a converted one.
        batch_size: Clips at a time.
        num_workers: Processes that prepare clips; 0 prepares them in this one.
        show_progress: Whether long work shows a progress bar.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointMismatch: If it is no checkpoint, or does not fit the config.
        ValueError: If it carries no config, or that of another kind of model.
    """

    #: What the model has that can be used here, and what to say of another.
    wanted: str
    remedy: str

    def __init__(
        self,
        checkpoint: Union[str, Path],
        device: Union[str, torch.device, None] = None,
        config: Union[str, Path, Config, None] = None,
        batch_size: int = 64,
        num_workers: int = 0,
        show_progress: bool = True,
    ) -> None:
        content = read_checkpoint(checkpoint)
        self.config, self.meta = own_config(checkpoint, content, config), content.get('meta', {})
        config = self.config
        if self.wanted not in config.get('model', {}):
            raise ValueError(
                f'{checkpoint} is of a {config.get("model", {}).get("type", "model that it does not name")}; '
                f'{self.remedy}'
            )
        # Building draws random weights first; the caller's random numbers stay as they were.
        with torch.random.fork_rng():
            self.model = load_model(config, checkpoint)
        self.model.to(device or get_device())
        self.batch_size, self.num_workers, self.show_progress = batch_size, num_workers, show_progress

    @property
    def test_file(self) -> str:
        """The annotation file of the config's test."""
        return inner_dataset(self.config.test_dataloader.dataset)['ann_file']

    @property
    def dataset_settings(self) -> Dict:
        """What a data set of clips has in common with that of the config's test."""
        return dataset_settings(self.config)

    def load(
        self, data: Clips, split: Optional[str] = None, window: Optional[int] = None, stride: int = 16
    ) -> Loaded:
        """Opens and checks clips, and cuts them into windows if that is asked for.

        Raises:
            AnnotationError: If a clip must not be used; the message names it,
                what is wrong and the remedy.
        """
        file = open_clips(data)
        dataset = GivenSkeletons(file, split=split, test_mode=True, **self.dataset_settings)
        if window is not None:
            file, frames = cut_windows(file, split, window, stride)
            dataset = GivenSkeletons(file, test_mode=True, **self.dataset_settings)
            return Loaded(dataset, frames)
        lengths = [sample['keypoint'].shape[1] for sample in map(dataset.get_data_info, range(len(dataset)))]
        self._warn_of_cuts(dataset, max(lengths))
        return Loaded(dataset, np.array([(0, length - 1) for length in lengths]))

    @staticmethod
    def _warn_of_cuts(dataset: SkeletonDataset, longest: int) -> None:
        """Says that the ends of long clips are not seen, where the pipeline cuts them."""
        limits = [
            step.max_frames
            for step in dataset.pipeline.transforms
            if isinstance(step, SkeletonPreNormalize) and step.max_frames < longest
        ]
        if limits:
            warnings.warn(
                f'clips of up to {longest} frames are cut after {min(limits)}, as in training; '
                'give window=64 to see all of a long recording',
                stacklevel=4,
            )

    def dataloader(self, dataset: SkeletonDataset) -> DataLoader:
        """Batches of a data set."""
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=pseudo_collate,
            generator=torch.Generator(),  # of its own, so that the caller's random numbers stay as they were
        )

    def progress(self, dataset: SkeletonDataset, title: str) -> Optional[str]:
        """The title of a progress bar where there is more than one batch; None for none."""
        return title if self.show_progress and len(dataset) > self.batch_size else None


def dataset_settings(config: Config) -> Dict:
    """What a data set of clips has in common with that of a config's test."""
    dataset = inner_dataset(config.test_dataloader.dataset)
    names = ('pipeline', 'layout', 'num_persons', 'num_coordinates', 'max_coordinate')
    return {name: dataset[name] for name in names if name in dataset}


def own_config(
    checkpoint: Union[str, Path], content: Dict, config: Union[str, Path, Config, None] = None
) -> Config:
    """The config of a checkpoint: that which is given, or else the one that it carries.

    Raises:
        ValueError: If there is neither.
    """
    if config is not None:
        return config if isinstance(config, Config) else Config.fromfile(config)
    config = stored_config(content)
    if config is None:
        raise ValueError(
            f'{checkpoint} carries no config; give that of its model, config=FILE. '
            'configs/cmd_ntu60.py is that of a converted CMD'
        )
    return config
