"""What is exported computes what the model does, on any batch and number of frames."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config

from i2md_mmaction.apis import ExportError, SkeletonClassifierInferencer, SkeletonEncoder, export_stream
from i2md_mmaction.apis.graph import NormalizeJoints, rotation_to
from i2md_mmaction.datasets import SkeletonPreNormalize
from i2md_mmaction.datasets.transforms import rotation_between
from i2md_mmaction.protocols import downstream_config
from i2md_mmaction.skeletons import get_layout
from tests.test_runs.conftest import random_checkpoint
from tests.test_runs.test_downstream import DOWNSTREAM, ROOT

ENCODERS = dict(
    bigru=('moco_demo', dict(type='BiGRU', hidden_channels=6)),
    gcn_transformer=(
        'i2md_demo',
        dict(embed_dims=16, depth=1, num_heads=2, feedforward_channels=16, gcn_channels=4),
    ),
    stgcn=('skeletonclr_ntu60', dict(base_channels=2, embed_dims=16)),
)


def recordings(layout='ntu25', coordinates=3, seed=0):
    """Clips of one and two persons with gaps at both ends and between, and joints unseen."""
    generator = np.random.default_rng(seed)
    joints = get_layout(layout).num_joints
    whole = generator.normal(size=(2, 90, joints, coordinates)).astype(np.float32)
    gaps = whole.copy()
    gaps[0, :7] = gaps[1, 70:] = gaps[1, 20:30] = 0
    late = whole[:1].copy()
    late[0, 40:], late[0, :, 3] = 0, 0
    return [whole, gaps, late, whole[:1, :5]]


def small(encoder):
    """A pre-training config with a small encoder, of 8 frames to unroll."""
    name, backbone = ENCODERS[encoder]
    config = Config.fromfile(ROOT / f'configs/{name}.py')
    config.merge_from_dict(dict(model=dict(backbone=backbone, bank=dict(size=256), compiled=False)))
    config.model.data_preprocessor.test_view = [dict(type='TemporalCenterResize', num_frames=8)]
    return config


@pytest.fixture(scope='module', params=ENCODERS)
def encoder(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param) / 'epoch_1.pth'
    return SkeletonEncoder(random_checkpoint(small(request.param), path), device='cpu', show_progress=False)


def run(path):
    """Calls what was exported, with nothing of this package."""
    if path.suffix == '.pt2':
        return torch.export.load(path).module()
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return lambda keypoint: torch.from_numpy(session.run(None, dict(keypoint=keypoint.numpy()))[0])


@pytest.mark.parametrize('suffix', ['.pt2', '.onnx'])
def test_an_exported_stream_embeds_recorded_joints_as_the_encoder_does(suffix, encoder, tmp_path):
    if suffix == '.onnx':
        pytest.importorskip('onnxruntime', reason='pip install "i2md_mmaction[export]"')
    stream = encoder.streams[-1]
    made = export_stream(encoder, tmp_path / f'stream{suffix}', recordings(), stream)
    assert set(made.differences) == {'random', 'clips'} and max(made.differences.values()) < 1e-4
    exported = run(made.path)
    clips = recordings(seed=5)
    expected = encoder.encode(clips, streams=[stream]).streams[stream]
    for clip, row in zip(clips, expected):
        joints = torch.zeros(3, 2, *clip.shape[1:])
        joints[1, : len(clip)] = torch.from_numpy(clip)
        joints[2] = torch.randn_like(joints[2])
        assert np.allclose(exported(joints)[1].detach(), row, atol=1e-4)


def test_an_exported_classifier_gives_probabilities_and_names_its_classes(tmp_path):
    config = downstream_config(ROOT / 'configs/moco_demo.py', 'linear', DOWNSTREAM)
    config.model.backbone = dict(type='BiGRU', hidden_channels=6)
    config.model.cls_head.update(in_channels=12, num_classes=5)
    config.model.data_preprocessor.test_view = [dict(type='TemporalCenterResize', num_frames=8)]
    classifier = SkeletonClassifierInferencer(random_checkpoint(config, tmp_path / 'a.pth'), device='cpu')
    made = export_stream(classifier, tmp_path / 'a.pt2', recordings())
    files = {'about.json': ''}
    exported = torch.export.load(made.path, extra_files=files).module()
    about = json.loads(files['about.json'])
    assert about['classes'] == classifier.classes and about['output'] == 'probabilities'
    assert (about['stream'], about['layout'], about['persons'], about['left_out']) == (
        'joint',
        'ntu25',
        2,
        [],
    )
    clip = recordings(seed=7)[0]
    expected = classifier.classify(clip).probabilities
    assert np.allclose(exported(torch.from_numpy(clip)[None]).detach(), expected, atol=1e-5)
    with pytest.raises(ValueError, match="is of the joint stream, not of 'bone'"):
        export_stream(classifier, tmp_path / 'b.pt2', recordings(), 'bone')


def test_joints_of_images_are_given_after_their_normalisation(tmp_path):
    config = Config.fromfile(ROOT / 'configs/cmd_demo_2d.py')
    config.merge_from_dict(dict(model=dict(backbone=dict(hidden_channels=6))))
    encoder = SkeletonEncoder(random_checkpoint(config, tmp_path / 'a.pth'), device='cpu')
    clips = [
        dict(
            keypoint=np.abs(clip) * 50,
            keypoint_score=np.ones(clip.shape[:-1], np.float32),
            img_shape=(480, 640),
        )
        for clip in recordings('coco17', 2)
    ]
    made = export_stream(encoder, tmp_path / 'a.pt2', clips, 'joint')
    assert made.left_out == ['PixelNormalize'] and made.differences['clips'] < 1e-4


def test_what_would_differ_is_not_written(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr('i2md_mmaction.apis.export.StreamGraph', Wrong)
    with pytest.raises(ExportError, match='a.pt2 would differ from the model by .* on clips'):
        export_stream(encoder, tmp_path / 'a.pt2', recordings(), 'joint')
    assert not list(tmp_path.iterdir())


class Wrong(torch.nn.Module):
    """A graph of the right shape that computes something else."""

    def __init__(self, encoder, *_):
        super().__init__()
        self.width = encoder.embed_dims

    def forward(self, keypoint):
        return keypoint.mean(dim=(1, 2, 3))[:, :1].expand(-1, self.width)


def test_formats_and_streams_that_are_unknown_are_refused(encoder, tmp_path):
    with pytest.raises(ValueError, match='export to .pt2 or .onnx'):
        export_stream(encoder, tmp_path / 'a.pth', recordings(), 'joint')
    with pytest.raises(ValueError, match="name one of the streams .*, not 'depth'"):
        export_stream(encoder, tmp_path / 'a.pt2', recordings(), 'depth')


@pytest.mark.parametrize('layout', ['ntu25', 'kinect20', 'openni15', 'coco17'])
@pytest.mark.parametrize('center', ['frame', 'first', 'person', None])
@pytest.mark.parametrize('scale_body', [False, True])
def test_tensors_are_normalised_as_arrays_are(layout, center, scale_body):
    coordinates = 2 if layout == 'coco17' else 3
    turned = coordinates == 3
    transform = SkeletonPreNormalize(layout, center, turned, turned, max_frames=60, scale_body=scale_body)
    module = NormalizeJoints(transform)
    for clip in recordings(layout, coordinates):
        expected = transform(dict(keypoint=clip.copy()))['keypoint']
        found = module(torch.from_numpy(clip)[None].repeat(2, 1, 1, 1, 1))[:, :, :60]
        assert np.allclose(found[0], expected, atol=2e-5) and torch.equal(found[0], found[1])


@pytest.mark.parametrize('axis', [0, 2])
def test_lines_are_turned_as_scipy_turns_them(axis):
    target = np.eye(3)[axis]
    generator = np.random.default_rng(0)
    sources = [*generator.normal(size=(20, 3)), target, -target, -3 * target, np.zeros(3), 1e-9 * target]
    sources += [-target + 1e-3 * generator.normal(size=3) for _ in range(5)]
    found = rotation_to(torch.tensor(np.array(sources)), torch.from_numpy(target))
    for rotation, source in zip(found.numpy(), sources):
        assert np.allclose(rotation, rotation_between(source, target), atol=1e-6)
