"""Encoders and classifiers from a checkpoint alone, held against what a run itself computes."""

import pickle

import numpy as np
import pytest
import torch
from mmaction.apis import inference_recognizer, inference_skeleton, init_recognizer
from mmengine.config import Config
from mmengine.runner import Runner
from torch.nn import functional as F

from i2md_mmaction.apis import SkeletonClassifierInferencer, SkeletonEncoder
from i2md_mmaction.datasets import AnnotationError, load_annotations
from i2md_mmaction.datasets.packing import write_packed
from i2md_mmaction.evaluation.inference import embed_split, load_model, score_split
from i2md_mmaction.models.checkpoints import CheckpointMismatch
from i2md_mmaction.protocols import downstream_config
from i2md_mmaction.skeletons import get_layout
from tests.test_runs.conftest import random_checkpoint
from tests.test_runs.test_downstream import DOWNSTREAM, ROOT, small


@pytest.fixture(scope='module')
def expected(pretraining):
    """What evaluation embeds of the test split, and the samples of it."""
    config = Config.fromfile(pretraining[1])
    features, labels = embed_split(load_model(config, pretraining[2]), config.test_dataloader)
    content = pickle.loads(pretraining[3].read_bytes())
    split = set(content['split'][config.test_dataloader.dataset.split])
    return features, labels, [sample for sample in content['annotations'] if sample['frame_dir'] in split]


@pytest.fixture(scope='module')
def encoder(pretraining):
    return SkeletonEncoder(pretraining[2], device='cpu', batch_size=5)


def packed(path, folder):
    write_packed(load_annotations(path), folder)
    return folder


def test_a_split_is_embedded_as_evaluation_does(pretraining, expected, encoder, tmp_path):
    features, labels, samples = expected
    split = Config.fromfile(pretraining[1]).test_dataloader.dataset.split
    content = pickle.loads(pretraining[3].read_bytes())
    for data in (pretraining[3], str(pretraining[3]), content, packed(pretraining[3], tmp_path / 'packed')):
        found = encoder.encode(data, split=split)
        assert found.names == [sample['frame_dir'] for sample in samples]
        assert np.array_equal(found.labels, labels) and set(found.streams) == {'joint', 'bone'}
        for name, feature in features.items():
            assert found.streams[name].dtype == np.float32
            assert np.allclose(found.streams[name], feature, atol=1e-6)
    joined = torch.cat([F.normalize(feature.double(), dim=1) for feature in features.values()], dim=1)
    assert np.allclose(found.joined, joined, atol=1e-6)
    assert [last + 1 for _, last in found.frames] == [sample['total_frames'] for sample in samples]
    assert len(encoder.encode(pretraining[3]).names) == len(content['annotations'])


def test_clips_at_hand_are_embedded_alike_in_every_form(expected, encoder):
    features, _, samples = expected
    clips = [sample['keypoint'] for sample in samples]
    one_person = next(number for number, clip in enumerate(clips) if len(clip) == 1)
    for data in (clips, samples, [torch.from_numpy(clip) for clip in clips], tuple(clips)):
        found = encoder.encode(data, streams=['bone'])
        assert set(found.streams) == {'bone'}
        assert np.allclose(found.streams['bone'], features['bone'], atol=1e-6)
    assert found.names[:2] == ['clip_0', 'clip_1'] and found.labels[0] == -1
    for data in (clips[one_person], clips[one_person][0], dict(keypoint=clips[one_person])):
        found = encoder.encode(data)
        assert np.allclose(found.streams['joint'][0], features['joint'][one_person], atol=1e-6)


def test_encoding_leaves_data_and_random_numbers_alone(pretraining, encoder):
    clip = np.random.default_rng(0).normal(size=(1, 20, 25, 3))
    annotation, content = dict(keypoint=clip), dict(annotations=[dict(frame_dir='a', keypoint=clip)])
    before, state = clip.copy(), torch.get_rng_state()
    SkeletonEncoder(pretraining[2], device='cpu').encode([annotation])
    encoder.encode(content)
    assert (
        np.array_equal(clip, before) and set(annotation) == {'keypoint'} and set(content) == {'annotations'}
    )
    assert torch.equal(torch.get_rng_state(), state)


def test_windows_are_clips_of_their_own(expected, encoder):
    recording = np.concatenate([sample['keypoint'][:1] for sample in expected[2][:4]], axis=1)
    recording[:, 70:100] = 0  # nobody is there
    length = recording.shape[1]
    found = encoder.encode(dict(frame_dir='long', keypoint=recording), window=20, stride=10)
    starts = [*range(0, length - 20, 10), length - 20]
    starts = [start for start in starts if recording[:, start : start + 20].any()]
    assert found.frames.tolist() == [[start, start + 19] for start in starts]
    assert len(starts) < len(range(0, length - 20, 10)) + 1 and set(found.names) == {'long'}
    clips = encoder.encode([recording[:, start : start + 20] for start in starts])
    assert np.allclose(found.joined, clips.joined, atol=1e-6)


@pytest.mark.parametrize(
    'data, message',
    [
        (np.ones((9, 20, 3)), "clip_0: keypoint: 20 joints where layout 'ntu25' has 25"),
        (np.ones((9, 25, 2)), 'clip_0: keypoint: 2 coordinates where 3 are expected'),
        (np.ones((3, 9, 25, 3)), 'clip_0: keypoint: 3 persons where the model takes 2'),
        (np.ones((0, 25, 3)), 'clip_0: keypoint: 0 frames of 1 persons'),
        (np.zeros((9, 25, 3)), 'clip_0: keypoint: zero throughout'),
        ([np.ones((9, 25, 3)), np.full((9, 25, 3), np.nan)], 'clip_1: keypoint: NaN'),
        (np.ones((2, 1, 9, 25, 3)), r'clip 0: shape \(2, 1, 9, 25, 3\).*several clips are a list of these'),
        ([np.ones((9, 25, 3)), 'a.pkl'], 'clip 1: a str'),
        ([], 'no clip is given'),
        (dict(frame_dir='a'), 'clip 0: a dict'),
        ('absent.pkl', 'annotation file absent.pkl does not exist'),
        (dict(annotations=3), "'annotations' is a int"),
    ],
)
def test_what_cannot_be_embedded_is_named(data, message, encoder):
    for window in (None, 4):
        with pytest.raises(AnnotationError, match=message):
            encoder.encode(data, window=window)


def test_wrong_arguments_are_named(pretraining, encoder):
    with pytest.raises(ValueError, match=r"no streams \['motion'\]; it has \['joint', 'bone'\]"):
        encoder.encode(np.ones((9, 25, 3)), streams=['motion'])
    with pytest.raises(ValueError, match='window=0, stride=16: both count frames'):
        encoder.encode(np.ones((9, 25, 3)), window=0)
    with pytest.raises(AnnotationError, match="no split 'test'"):
        encoder.encode(pretraining[3], split='test')


def test_long_clips_are_said_to_be_cut(encoder):
    clip = np.random.default_rng(0).normal(size=(301, 25, 3))
    with pytest.warns(UserWarning, match='clips of up to 301 frames are cut after 300'):
        found = encoder.encode([clip, clip[:300]])
    assert np.allclose(found.joined[0], found.joined[1], atol=1e-6)


def test_checkpoints_that_do_not_serve_are_named(pretraining, tmp_path):
    with pytest.raises(FileNotFoundError, match='no checkpoint'):
        SkeletonEncoder(tmp_path / 'absent.pth')
    with pytest.raises(CheckpointMismatch, match='cannot be read'):
        SkeletonEncoder(pretraining[3])
    bare = tmp_path / 'bare.pth'
    torch.save(torch.load(pretraining[2], weights_only=True)['state_dict'], bare)
    with pytest.raises(ValueError, match='bare.pth carries no config; give that of its model'):
        SkeletonEncoder(bare)
    clip = np.random.default_rng(0).normal(size=(20, 25, 3))
    for config in (pretraining[1], Config.fromfile(pretraining[1])):
        found = SkeletonEncoder(bare, config=config).encode(clip)
        assert np.allclose(found.joined, SkeletonEncoder(pretraining[2]).encode(clip).joined, atol=1e-6)
    with pytest.raises(ValueError, match='is of a SkeletonMoCo; embed with SkeletonEncoder'):
        SkeletonClassifierInferencer(pretraining[2])


def test_a_classifier_names_its_classes_and_gives_probabilities(pretraining, tmp_path):
    config = small('linear', pretraining, tmp_path / 'run', epochs=1)
    Runner.from_cfg(config).train()
    checkpoint = tmp_path / 'run/epoch_1.pth'
    scores, _ = score_split(load_model(config, checkpoint), config.test_dataloader)
    classifier = SkeletonClassifierInferencer(checkpoint, device='cpu')
    split = config.test_dataloader.dataset.split
    found = classifier.classify(pretraining[3], split=split)
    exponents = np.exp(scores.double().numpy())
    assert np.allclose(found.probabilities, exponents / exponents.sum(axis=1, keepdims=True), atol=1e-6)
    content = pickle.loads(pretraining[3].read_bytes())
    assert found.classes == content['class_names']
    for best, row in zip(found.top(3), found.probabilities):
        assert [value for _, value in best] == sorted(map(float, row), reverse=True)[:3]
        assert best[0][0] == content['class_names'][row.argmax()]
    windows = classifier.classify(content['annotations'][0], window=8, stride=4)
    assert len(windows.top()) == len(windows.frames) > 1
    with pytest.raises(ValueError, match='is of a SkeletonClassifier; classify with'):
        SkeletonEncoder(checkpoint)


@pytest.mark.parametrize('name', ['moco_demo', 'cmd_nwucla', 'cmd_kinect20_joined_small'])
def test_mmaction2_infers_a_clip_as_evaluation_does(name, tmp_path):
    """Whatever the layout: mmaction2 builds the pipeline outside of a data set that would state it."""
    config = downstream_config(ROOT / f'configs/{name}.py', 'linear', DOWNSTREAM)
    config.model.backbone = dict(type='BiGRU', hidden_channels=6)
    config.model.cls_head.update(in_channels=12, num_classes=5)
    checkpoint = random_checkpoint(config, tmp_path / 'classifier.pth')
    joints = get_layout(config.model.get('layout', 'ntu25')).num_joints
    clip = np.random.default_rng(0).normal(size=(1, 40, joints, 3)).astype(np.float32)
    model = init_recognizer(config, str(checkpoint), device='cpu')
    sample = inference_recognizer(model, dict(keypoint=clip, label=-1))
    expected = SkeletonClassifierInferencer(checkpoint).classify(clip).probabilities[0]
    assert np.allclose(torch.softmax(sample.pred_score, dim=0), expected, atol=1e-6)


def test_mmaction2_infers_poses_of_a_video_as_evaluation_does(tmp_path):
    config = downstream_config(ROOT / 'configs/cmd_demo_2d.py', 'linear', DOWNSTREAM)
    config.model.backbone.hidden_channels = 6
    config.model.cls_head.update(in_channels=12, num_classes=5)
    checkpoint = random_checkpoint(config, tmp_path / 'classifier.pth')
    generator = np.random.default_rng(0)
    # Halves, which mmaction2's 16-bit floats hold.
    poses = generator.integers(100, 400, size=(40, 1, 17, 2)) / 2
    scores = np.ones((40, 1, 17))
    frames = [dict(keypoints=pose, keypoint_scores=score) for pose, score in zip(poses, scores)]
    model = init_recognizer(config, str(checkpoint), device='cpu')
    sample = inference_skeleton(model, frames, img_shape=(240, 320))
    clip = dict(keypoint=poses.swapaxes(0, 1), keypoint_score=scores.swapaxes(0, 1), img_shape=(240, 320))
    expected = SkeletonClassifierInferencer(checkpoint).classify(clip).probabilities[0]
    assert np.allclose(torch.softmax(sample.pred_score, dim=0), expected, atol=1e-6)
