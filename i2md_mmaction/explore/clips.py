"""From a file of skeletons to clips with their features: by an encoder, or the joints themselves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from rich.progress import track

from ..apis import GivenSkeletons, SkeletonEncoder
from ..apis.inferencer import dataset_settings
from ..datasets import AnnotationError, class_names
from ..datasets.annotation_file import AnnotationFile
from ..evaluation import concatenate_streams
from ..evaluation.inference import embed_split
from ..evaluation.knn import check_neighbors
from ..parts import SKELETON, fill_in
from ..skeletons import SkeletonLayout, find_layout

#: What a t-SNE takes at least.
MIN_CLIPS = 3


@dataclass(frozen=True)
class EmbeddedClips:
    """Clips as they are explored.

    Args:
        names: Their names.
        labels: (S,), -1 where there is none.
        splits: The split of each; empty texts if the whole file is explored.
        joints: Of each clip (M, T, V, C), pre-normalised.
        features: (S, H), by whose cosines neighbours are found.
        layout: Their skeleton layout.
        class_names: Names by label, where they are known.
        available: How many clips there were before some were drawn.
    """

    names: List[str]
    labels: np.ndarray
    splits: List[str]
    joints: List[np.ndarray]
    features: np.ndarray
    layout: SkeletonLayout
    class_names: Optional[List[str]]
    available: int


class FeatureSource(NamedTuple):
    """How clips are prepared, and what their features are.

    Args:
        settings: Arguments of the data set: pipeline, layout, persons.
        embed: Maps prepared samples to features (S, H).
    """

    settings: Dict[str, Any]
    embed: Callable[[Sequence[Dict]], torch.Tensor]


def encoder_source(encoder: SkeletonEncoder) -> FeatureSource:
    """The embeddings of an encoder, all its streams side by side."""

    def embed(samples: Sequence[Dict]) -> torch.Tensor:
        progress = encoder.progress(samples, 'embedding')
        features, _ = embed_split(encoder.model, encoder.dataloader(samples), progress=progress)
        return concatenate_streams(features)

    return FeatureSource(encoder.dataset_settings, embed)


def joints_source(
    file: AnnotationFile,
    config: Union[str, Path, Config, None] = None,
    batch_size: int = 64,
    device: Union[str, torch.device, None] = None,
) -> FeatureSource:
    """The joints themselves, pre-normalised and resized to as many frames as in evaluation.

    Args:
        file: The clips; their layout is the registered one of as many joints.
        config: A pre-training config whose preparation is used instead of the
            usual one, and its layout.
        batch_size: Clips at a time.
        device: Where they are resized; an accelerator, if there is one.

    Raises:
        ValueError: If the layout is not to be told, or the config is of no
            model of this package.
    """
    init_default_scope('mmaction')
    settings, view = usual_preparation(file) if config is None else configured_preparation(config)
    preprocessor = MODELS.build(view).to(device or get_device())

    def embed(samples: Sequence[Dict]) -> torch.Tensor:
        batches = (samples[start : start + batch_size] for start in range(0, len(samples), batch_size))
        views = [preprocessor(dict(inputs=[one['inputs'] for one in batch]))['inputs'] for batch in batches]
        return torch.cat([view.flatten(1).cpu() for view in views])

    return FeatureSource(settings, embed)


def configured_preparation(config: Union[str, Path, Config]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Arguments of a data set, and the config of the view of evaluation, as a config has them.

    Raises:
        ValueError: If it is no config of pre-training.
    """
    config = config if isinstance(config, Config) else Config.fromfile(config)
    model = config.get('model', {})
    view = model.get('data_preprocessor') or {}
    if view.get('type') != 'SkeletonViewPreprocessor':
        raise ValueError(
            f'{config.filename} has no SkeletonViewPreprocessor, which prepares clips; give another config'
        )
    stated = {name: model.get(name) for name in SKELETON}
    return dataset_settings(config), fill_in(view, MODELS, **stated)


def usual_preparation(file: AnnotationFile) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """The same for clips of which nothing is known but their arrays.

    In three coordinates each body stands in its own axes, as in the papers; in
    two, which are pixels, its size is taken out as well.

    Raises:
        AnnotationError: If the joints are not as those of a known layout.
    """
    shapes = [np.shape(annotation.get('keypoint', ())) for annotation in file.annotations]
    odd = next((number for number, shape in enumerate(shapes) if len(shape) != 4), None)
    if not shapes or odd is not None:
        found = f'annotation {odd} has keypoints of shape {shapes[odd]}' if shapes else 'no clip is there'
        raise AnnotationError(
            f'{file.path}: {found} where arrays (persons, frames, joints, coordinates) are expected; '
            'make the file anew'
        )
    joints, coordinates = shapes[0][2:]
    try:
        layout = find_layout(joints)
    except ValueError as error:
        raise AnnotationError(f'{file.path}: {error}; give a config that names the layout') from error
    pixels = coordinates == 2
    normalize = dict(
        type='SkeletonPreNormalize',
        align_spine=not pixels and layout.spine is not None,
        align_shoulders=not pixels and layout.shoulders is not None,
        scale_body=pixels,
    )
    pack = dict(type='PackActionInputs', meta_keys=('frame_dir',))
    pipeline = [*([dict(type='PixelNormalize')] if pixels else []), normalize, pack]
    skeleton = dict(
        layout=layout.name, num_persons=max(shape[0] for shape in shapes), num_coordinates=coordinates
    )
    view = dict(type='SkeletonViewPreprocessor', train_views=None, **skeleton)
    return dict(pipeline=pipeline, **skeleton), view


def embed_clips(
    file: AnnotationFile,
    source: FeatureSource,
    splits: Sequence[str] = (),
    max_clips: int = 2000,
    k: int = 5,
    seed: int = 0,
) -> EmbeddedClips:
    """Checks, draws, prepares and embeds clips.

    Args:
        file: The clips, from :func:`i2md_mmaction.apis.clips.open_clips`.
        source: What their features are.
        splits: Splits to take; the whole file by default.
        max_clips: If there are more, so many of them are drawn.
        k: Neighbours that are going to be asked for.
        seed: Seed of the draw.

    Raises:
        AnnotationError: If a clip must not be used, or a split is unknown.
        ValueError: If splits share a clip, or there are too few clips.

    Example:
        >>> from i2md_mmaction.apis.clips import open_clips
        >>> joints = np.random.default_rng(0).normal(size=(8, 12, 20, 3)).astype('float32')
        >>> file = open_clips(list(joints))
        >>> clips = embed_clips(file, joints_source(file), max_clips=6)
        >>> len(clips.names), clips.available, clips.features.shape  # 64 frames of 20 joints
        (6, 8, (6, 3840))
    """
    _check_disjoint(file, splits)
    datasets = [
        GivenSkeletons(file, split=split, test_mode=True, **source.settings) for split in splits or [None]
    ]
    places = [(dataset, index) for dataset in datasets for index in range(len(dataset))]
    count = min(len(places), max_clips)
    if count < MIN_CLIPS:
        raise ValueError(f'{file.path}: {count} clips are too few for a map; take at least {MIN_CLIPS}')
    check_neighbors(k, count - 1)
    drawn = sorted(np.random.default_rng(seed).permutation(len(places))[:count].tolist())
    samples, joints = _prepare([places[place] for place in drawn])
    features = source.embed(samples).numpy()
    labels = np.array([int(dataset.get_data_info(index)['label']) for dataset, index in places])
    layout = datasets[0].layout
    return EmbeddedClips(
        names=[str(places[place][0].names[places[place][1]]) for place in drawn],
        labels=labels[drawn],
        splits=[places[place][0].split or '' for place in drawn],
        joints=joints,
        features=features,
        layout=layout,
        class_names=class_names(file.content, layout.name, int(labels.max()) + 1),
        available=len(places),
    )


def _check_disjoint(file: AnnotationFile, splits: Sequence[str]) -> None:
    """Refuses splits of which a clip would be shown twice."""
    owner: Dict[int, str] = {}
    for split in splits:
        for place in file.select(split):
            if owner.setdefault(place, split) != split or splits.count(split) > 1:
                raise ValueError(
                    f'{file.path}: splits {owner[place]!r} and {split!r} share clips; name splits that do not'
                )


def _prepare(places: Sequence[Tuple[GivenSkeletons, int]]) -> Tuple[List[Dict], List[np.ndarray]]:
    """Samples as a model takes them, and the joints of each (M, T, V, C)."""
    progress = track(places, description='preparing', disable=len(places) < 256)
    samples = [dataset[index] for dataset, index in progress]
    return samples, [sample['inputs'].numpy() for sample in samples]
