"""The tools that embed and classify the clips of a file, from their command lines."""

import csv
import importlib
import pickle

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from i2md_mmaction.apis import SkeletonClassifierInferencer, SkeletonEncoder
from tests.test_runs.test_downstream import small


@pytest.fixture(scope='module')
def tool():
    """Calls a tool's main function."""

    def call(name, *arguments):
        return importlib.import_module(f'tools.{name}').main(list(map(str, arguments)))

    return call


@pytest.fixture(scope='module')
def found(pretraining):
    return SkeletonEncoder(pretraining[2], device='cpu').encode(pretraining[3])


def test_embeddings_are_written_as_arrays(tool, pretraining, found, tmp_path, capsys):
    out = tmp_path / 'new' / 'found.npz'
    assert tool('embed', pretraining[2], pretraining[3], '--out', out) == 0
    assert f'made {out}: {len(found.names)} rows; joint 12, bone 12' in capsys.readouterr().out
    with np.load(out) as content:
        assert set(content) == {'names', 'labels', 'frames', 'joint', 'bone', 'joined'}
        assert content['names'].tolist() == found.names
        assert np.array_equal(content['labels'], found.labels)
        assert np.allclose(content['bone'], found.streams['bone'], atol=1e-6)
        assert np.allclose(content['joined'], found.joined, atol=1e-6)


def test_embeddings_are_written_as_a_table_of_windows(tool, pretraining, tmp_path):
    out = tmp_path / 'found.csv'
    options = ('--streams', 'joint', '--window', 16, '--stride', 8, '--split', 'xsub_val')
    assert tool('embed', pretraining[2], pretraining[3], '--out', out, *options) == 0
    encoder = SkeletonEncoder(pretraining[2], device='cpu')
    expected = encoder.encode(pretraining[3], streams=['joint'], split='xsub_val', window=16, stride=8)
    rows = list(csv.reader(out.read_text().splitlines()))
    assert rows[0][:6] == ['name', 'label', 'first', 'last', 'joint_0', 'joint_1']
    assert [row[0] for row in rows[1:]] == expected.names
    assert [[int(value) for value in row[2:4]] for row in rows[1:]] == expected.frames.tolist()
    assert np.allclose([list(map(float, row[4:])) for row in rows[1:]], expected.streams['joint'], atol=1e-6)


def test_embeddings_are_written_for_the_projector_and_never_over_something(
    tool, pretraining, found, tmp_path, capsys
):
    out = tmp_path / 'projector'
    assert tool('embed', pretraining[2], pretraining[3], '--out', out) == 0
    config = (out / 'projector_config.pbtxt').read_text()
    assert all(f'tensor_name: "{name}:00000"' in config for name in ('joint', 'bone', 'joined'))
    tensors = np.loadtxt(out / '00000' / 'joint' / 'tensors.tsv')
    assert np.allclose(tensors, found.streams['joint'], atol=1e-6)
    metadata = (out / '00000' / 'joint' / 'metadata.tsv').read_text().splitlines()
    first = [found.names[0], found.labels[0], *found.frames[0]]
    assert metadata[0] == 'name\tlabel\tfirst\tlast' and metadata[1] == '\t'.join(map(str, first))
    assert [path.name for path in tmp_path.iterdir()] == ['projector']
    assert tool('embed', pretraining[2], pretraining[3], '--out', out) == 2
    assert 'gets a folder of its own' in capsys.readouterr().err


def test_what_cannot_be_embedded_is_said_in_one_line(tool, pretraining, tmp_path, capsys):
    assert tool('embed', pretraining[2], pretraining[3], '--out', tmp_path / 'a.txt') == 2
    assert 'a.txt: write to .npz, .csv, or a folder' in capsys.readouterr().err
    assert tool('embed', pretraining[3], pretraining[3], '--out', tmp_path / 'a.npz') == 2
    assert 'cannot be read' in capsys.readouterr().err
    assert tool('embed', pretraining[2], tmp_path / 'absent.pkl', '--out', tmp_path / 'a.npz') == 2
    assert 'absent.pkl does not exist' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_recording_is_labelled_over_time(tool, pretraining, tmp_path, capsys):
    Runner.from_cfg(small('linear', pretraining, tmp_path / 'run', epochs=1)).train()
    checkpoint, long = tmp_path / 'run/epoch_1.pth', tmp_path / 'long.pkl'
    content = pickle.loads(pretraining[3].read_bytes())
    joints = np.concatenate([sample['keypoint'][:1] for sample in content['annotations'][:3]], axis=1)
    long.write_bytes(pickle.dumps(dict(annotations=[dict(frame_dir='long', keypoint=joints)])))
    table, arrays = tmp_path / 'said.csv', tmp_path / 'said.npz'
    for out in (table, arrays):
        options = ('--window', 32, '--stride', 16, '--top', 2)
        assert tool('classify', checkpoint, long, '--out', out, *options) == 0
    said = SkeletonClassifierInferencer(checkpoint, device='cpu').classify(long, window=32, stride=16)
    assert f'made {table}: {len(said.names)} rows, 4 classes' in capsys.readouterr().out
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert list(rows[0]) == 'name first last class_1 probability_1 class_2 probability_2'.split()
    for row, frames, top in zip(rows, said.frames, said.top(2)):
        assert row['name'] == 'long' and [int(row['first']), int(row['last'])] == frames.tolist()
        assert [row['class_1'], row['class_2']] == [name for name, _ in top]
        assert float(row['probability_1']) == pytest.approx(top[0][1], abs=1e-6)
    with np.load(arrays) as content:
        assert content['classes'].tolist() == said.classes
        assert np.allclose(content['probabilities'], said.probabilities, atol=1e-6)


def test_a_stream_is_exported_beside_its_checkpoint(tool, pretraining, capsys):
    made = pretraining[2].with_name('ours_bone.pt2')
    assert tool('export', pretraining[2], '--stream', 'bone') == 0
    assert f'made {made}: differs from the model by ' in capsys.readouterr().out
    clip = pickle.loads(pretraining[3].read_bytes())['annotations'][0]['keypoint']
    joints = torch.zeros(1, 2, *clip.shape[1:])
    joints[0, : len(clip)] = torch.from_numpy(clip)
    expected = SkeletonEncoder(pretraining[2], device='cpu').encode(clip).streams['bone']
    assert np.allclose(torch.export.load(made).module()(joints).detach(), expected, atol=1e-4)
    made.unlink()
    assert tool('export', pretraining[2], '--stream', 'bone', '--clips', 'absent.pkl') == 2
    assert 'absent.pkl is not there; give a file of real clips' in capsys.readouterr().err
    assert tool('export', pretraining[2]) == 2
    assert "name one of the streams ['joint', 'bone'] to export" in capsys.readouterr().err
    assert not made.exists()
