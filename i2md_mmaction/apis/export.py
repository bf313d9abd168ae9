"""Encoders and classifiers as files that need nothing of this package to run."""

import io
import json
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Optional, Union

import numpy as np
import torch
from torch import Tensor

from ..datasets import SkeletonPreNormalize
from ..io import write_file
from ..models.checkpoints import read_checkpoint
from .classifier import SkeletonClassifierInferencer
from .clips import Clips
from .encoder import SkeletonEncoder
from .graph import StreamGraph, left_out
from .inferencer import Inferencer, own_config

#: How far what was exported may be from the model: the largest difference, relative to values above 1.
TOLERANCE = 1e-4
#: Shapes (batch, frames) on which the two are compared; the model is traced with the first.
_SHAPES = ((2, 40), (1, 2), (5, 333))
#: Clips that are compared.
_CLIPS = 4


class ExportError(RuntimeError):
    """What was exported does not compute what the model does."""


@dataclass(frozen=True)
class Exported:
    """A model that was exported.

    Args:
        path: The file.
        differences: The largest difference to the model on ``'random'`` joints
            and on real ``'clips'``, relative to values above 1.
        left_out: Steps of the data set's pipeline that the graph lacks; what is
            given to it must have gone through them.
    """

    path: Path
    differences: Dict[str, float]
    left_out: List[str]


def load_inferencer(
    checkpoint: Union[str, Path], config: Union[str, Path, None] = None, **kwargs
) -> Inferencer:
    """The encoder or the classifier of a checkpoint, whichever it is of.

    Args:
        checkpoint: File of a run.
        config: The config, or its file, of a checkpoint that carries none.
        **kwargs: As for :class:`.Inferencer`.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointMismatch: If it is no checkpoint, or does not fit the config.
        ValueError: If it carries no config.
    """
    config = own_config(checkpoint, read_checkpoint(checkpoint), config)
    classifies = SkeletonClassifierInferencer.wanted in config.get('model', {})
    kind = SkeletonClassifierInferencer if classifies else SkeletonEncoder
    return kind(checkpoint, config=config, **kwargs)


def export_stream(
    inferencer: Inferencer, path: Union[str, Path], clips: Clips, stream: Optional[str] = None
) -> Exported:
    """Exports one stream, from recorded joints to its output, in the format that the suffix names.

    The graph takes joints (B, M, T, V, C), all T frames of which are valid, with
    any batch and any number of frames from 2 on; persons who are not there are
    zero. It holds pre-normalisation, resize to the model's frames, modality and
    network, and gives embeddings (B, H) or, of a classifier, probabilities
    (B, classes).

    ``.pt2`` is a program of ``torch.export``, ``.onnx`` a model of ONNX. Both
    carry what they are as JSON: an extra file ``about.json``, and the metadata
    ``about``.

    Args:
        inferencer: The encoder or classifier, on the CPU.
        path: File to write, ``.pt2`` or ``.onnx``.
        clips: Some real clips to compare on, as for :meth:`.SkeletonEncoder.encode`.
        stream: Stream of an encoder; a classifier has one alone.

    Returns:
        What was written, once it was found equal to the model.

    Raises:
        ValueError: If the format or the stream is unknown, or the pipeline
            changes joints in ways that no graph holds.
        ExportError: If what was exported differs from the model; no file is
            left.
        ModuleNotFoundError: If ONNX is not installed.

    Example:
        >>> encoder = SkeletonEncoder('work_dirs/cmd_demo/epoch_12.pth', device='cpu')  # doctest: +SKIP
        >>> export_stream(encoder, 'joint.onnx', 'data/demo.pkl', stream='joint')  # doctest: +SKIP
    """
    path = Path(path)
    if path.suffix not in _FORMATS:
        raise ValueError(f'{path}: export to {" or ".join(_FORMATS)}')
    convert, run = _FORMATS[path.suffix]
    dataset = inferencer.load(clips).dataset
    steps = dataset.pipeline.transforms
    model, about = _graph(inferencer, steps, stream)
    random = torch.Generator().manual_seed(0)
    skeleton = (about['joints'], about['coordinates'])
    joints = [torch.randn(b, about['persons'], t, *skeleton, generator=random) for b, t in _SHAPES]
    with torch.no_grad():
        content = convert(model, joints[0], about)
        exported = run(content)
        differences = dict(random=max(_difference(exported(x), model(x)) for x in joints))
        clips = [_recorded(dataset, number, about) for number in range(min(_CLIPS, len(dataset)))]
        wanted = [_expected(inferencer, dataset, number, stream) for number in range(len(clips))]
        differences['clips'] = max(_difference(exported(clip), row) for clip, row in zip(clips, wanted))
    for name, difference in differences.items():
        if not difference <= TOLERANCE:
            raise ExportError(
                f'{path} would differ from the model by {difference:.1e} on {name}, more than {TOLERANCE}; '
                'it was not written. Try the other format'
            )
    return Exported(write_file(path, content), differences, about['left_out'])


def _graph(inferencer: Inferencer, steps: list, stream: Optional[str]) -> tuple:
    """The stream as a graph, and what there is to say of it."""
    model = inferencer.model
    view = model.data_preprocessor.test_view
    normalize = next((step for step in steps if isinstance(step, SkeletonPreNormalize)), None)
    if isinstance(inferencer, SkeletonClassifierInferencer):
        own, encoder, head = model.backbone.modality.name, model.backbone, model.cls_head
        if stream not in (None, own):
            raise ValueError(f'the classifier is of the {own} stream, not of {stream!r}')
        stream = own
    else:
        if stream not in model.streams:
            raise ValueError(f'name one of the streams {list(model.streams)} to export, not {stream!r}')
        encoder, head = model.streams[stream].query, None
    about = dict(
        stream=stream,
        output='embedding' if head is None else 'probabilities',
        layout=model.data_preprocessor.layout_name,
        joints=model.data_preprocessor.num_joints,
        persons=model.data_preprocessor.num_persons,
        coordinates=model.data_preprocessor.num_coordinates,
        left_out=left_out(steps),
    )
    if head is not None:
        about['classes'] = inferencer.classes
    return StreamGraph(encoder, view, normalize, head).eval(), about


def _recorded(dataset, number: int, about: dict) -> Tensor:
    """A clip (1, M, T, V, C) as the graph takes it."""
    sample = dataset.get_data_info(number)
    for step in dataset.pipeline.transforms[: len(about['left_out'])]:
        sample = step(sample)
    keypoint = torch.as_tensor(np.asarray(sample['keypoint'], dtype=np.float32))
    batch = keypoint.new_zeros(1, about['persons'], *keypoint.shape[1:])
    batch[0, : len(keypoint)] = keypoint
    return batch


def _expected(inferencer: Inferencer, dataset, number: int, stream: Optional[str]) -> Tensor:
    """What the model makes of a clip the way it is evaluated."""
    sample = dataset[number]
    batch = dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']])
    model = inferencer.model
    if isinstance(inferencer, SkeletonClassifierInferencer):
        return model.test_step(batch)[0].pred_score.softmax(dim=0)[None]
    return model.extract_feat(model.data_preprocessor(batch)['inputs'], [stream])[stream]


def _difference(found: Tensor, expected: Tensor) -> float:
    """The largest difference, relative to the largest value if that is above 1."""
    if found.shape != expected.shape:
        raise ExportError(f'gives {tuple(found.shape)} where the model gives {tuple(expected.shape)}')
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1))


def _trace(model: StreamGraph, example: Tensor) -> torch.export.ExportedProgram:
    """The program of any batch and number of frames."""
    sizes = {0: torch.export.Dim('batch', min=1), 2: torch.export.Dim('frames', min=2)}
    with warnings.catch_warnings():
        # Recurrent networks of torch keep a list of their parameters, which is no state.
        warnings.filterwarnings('ignore', r'(?s)The tensor attributes? .*_flat_weights', UserWarning)
        return torch.export.export(model, (example,), dynamic_shapes=dict(keypoint=sizes))


def _to_pt2(model: StreamGraph, example: Tensor, about: dict) -> bytes:
    buffer = io.BytesIO()
    torch.export.save(_trace(model, example), buffer, extra_files={'about.json': json.dumps(about)})
    return buffer.getvalue()


def _run_pt2(content: bytes) -> Callable[[Tensor], Tensor]:
    return torch.export.load(io.BytesIO(content)).module()


def _to_onnx(model: StreamGraph, example: Tensor, about: dict) -> bytes:
    # It warns of operators of torchvision, of which there are none here.
    logging.getLogger('torch.onnx._internal.exporter._registration').setLevel(logging.ERROR)
    traced = _trace(model, example)
    names = dict(input_names=['keypoint'], output_names=[about['output']])
    with warnings.catch_warnings():
        # Of torch's and ONNX Script's own calls of what they will drop.
        warnings.simplefilter('ignore', FutureWarning)
        warnings.simplefilter('ignore', DeprecationWarning)
        program = torch.onnx.export(traced, (example,), dynamo=True, verbose=False, **names)
    program.model.metadata_props['about'] = json.dumps(about)
    return program.model_proto.SerializeToString()


def _run_onnx(content: bytes) -> Callable[[Tensor], Tensor]:
    import onnxruntime  # optional, and slow to import

    session = onnxruntime.InferenceSession(content, providers=['CPUExecutionProvider'])
    return lambda keypoint: torch.from_numpy(session.run(None, {'keypoint': keypoint.numpy()})[0])


#: How a format is written, and how it is run.
_FORMATS = {'.pt2': (_to_pt2, _run_pt2), '.onnx': (_to_onnx, _run_onnx)}
