"""The nearest clips of one clip, held against cosines in float64, and the tool that prints and draws them."""

import pickle

import numpy as np
import pytest
import torch

from i2md_mmaction.apis import SkeletonEncoder, retrieve
from i2md_mmaction.datasets import AnnotationError, load_annotations
from i2md_mmaction.datasets.packing import write_packed
from tools import retrieve as tool


@pytest.fixture(scope='module')
def encoder(pretraining):
    return SkeletonEncoder(pretraining[2], device='cpu', show_progress=False)


@pytest.fixture(scope='module')
def content(pretraining):
    return pickle.loads(pretraining[3].read_bytes())


@pytest.fixture(scope='module')
def embedded(encoder, pretraining):
    return encoder.encode(pretraining[3])


def expected(found, query, k, streams=('joint', 'bone'), among=None):
    """Names and cosines of the nearest clips to a clip of the file, itself left out; mean over streams."""
    row = found.names.index(query)
    cosines = np.zeros(len(found.names))
    for stream in streams:
        values = found.streams[stream].astype(np.float64)
        unit = values / np.linalg.norm(values, axis=1, keepdims=True)
        cosines += unit @ unit[row] / len(streams)
    order = [
        place
        for place in np.argsort(-cosines, kind='stable')
        if place != row and (among is None or found.names[place] in among)
    ]
    return [found.names[place] for place in order[:k]], cosines[order[:k]]


def pairs(found):
    return [clip.name for clip in found.neighbors], [clip.similarity for clip in found.neighbors]


@pytest.mark.parametrize('split', [None, 'xsub_val', 'xsub_train'])
@pytest.mark.parametrize('streams', [None, ['bone']])
def test_the_nearest_clips_are_those_of_the_largest_cosine(
    encoder, pretraining, content, embedded, split, streams
):
    query = content['split']['xsub_val'][3]
    found = retrieve(encoder, pretraining[3], query, k=4, split=split, streams=streams)
    among = None if split is None else content['split'][split]
    names, cosines = expected(embedded, query, 4, streams or ('joint', 'bone'), among)
    assert pairs(found)[0] == names and np.allclose(pairs(found)[1], cosines, atol=1e-5)
    labels = {sample['frame_dir']: sample['label'] for sample in content['annotations']}
    for clip in (found.query, *found.neighbors):
        assert clip.label == labels[clip.name] and clip.class_name == content['class_names'][clip.label]
        assert clip.agrees(found.query) is (clip.label == labels[query])
    assert found.layout == 'ntu25' and found.query.name == query and found.query.similarity is None


def test_what_is_drawn_is_what_the_encoder_is_given(encoder, pretraining, content):
    query = content['split']['xsub_train'][0]
    found = retrieve(encoder, pretraining[3], query, k=2)
    for clip in (found.query, *found.neighbors):
        [sample] = [one for one in content['annotations'] if one['frame_dir'] == clip.name]
        assert np.array_equal(clip.keypoint, encoder.load(sample).dataset[0]['inputs'])


def write(path, value):
    if path.suffix == '.npy':
        np.save(path, value)
    else:
        path.write_bytes(pickle.dumps(value))
    return path


def test_a_clip_of_a_file_finds_its_neighbours_and_not_itself(
    encoder, pretraining, content, embedded, tmp_path
):
    sample = next(one for one in content['annotations'] if len(one['keypoint']) == 1)
    names, cosines = expected(embedded, sample['frame_dir'], 3)
    asked = (
        write(tmp_path / 'persons.npy', sample['keypoint']),
        write(tmp_path / 'one_person.npy', sample['keypoint'][0]),
        write(tmp_path / 'annotation.pkl', sample),
        write(tmp_path / 'file.pkl', dict(split={}, annotations=[sample])),
        write_packed(load_annotations(tmp_path / 'file.pkl'), tmp_path / 'packed') or tmp_path / 'packed',
        sample,
        torch.from_numpy(sample['keypoint']),
    )
    for query in asked:
        found = retrieve(encoder, pretraining[3], query, k=3)
        assert pairs(found)[0] == names and np.allclose(pairs(found)[1], cosines, atol=1e-5)
    found = retrieve(encoder, pretraining[3], asked[0], k=3)
    assert found.query.name == 'persons' and found.query.agrees(found.neighbors[0]) is None
    noisy = sample['keypoint'] * np.float32(1.0001)  # another clip, if only just
    assert pairs(retrieve(encoder, pretraining[3], noisy, k=1))[0] == [sample['frame_dir']]


def test_packed_and_unlabelled_clips_are_searched_alike(encoder, pretraining, content, embedded, tmp_path):
    query = content['annotations'][5]['frame_dir']
    names, _ = expected(embedded, query, 3)
    folder = tmp_path / 'packed'
    write_packed(load_annotations(pretraining[3]), folder)
    assert pairs(retrieve(encoder, folder, query, k=3))[0] == names
    bare = [{name: value for name, value in one.items() if name != 'label'} for one in content['annotations']]
    found = retrieve(encoder, bare, query, k=3)
    assert pairs(found)[0] == names
    for clip in (found.query, *found.neighbors):
        assert clip.label == -1 and clip.class_name == ''
    assert found.draw(tmp_path / 'found.png').read_bytes().startswith(b'\x89PNG')


def test_what_cannot_be_asked_is_said(encoder, pretraining, content, tmp_path):
    def refused(query, message, **options):
        with pytest.raises(ValueError, match=message) as error:
            retrieve(encoder, pretraining[3], query, **options)
        assert '\n' not in str(error.value)

    name = content['annotations'][0]['frame_dir']
    refused(f'{name}X', f"has no clip '{name}X', and there is no such file; close are {name}")
    refused(name, "has no split 'val'; it has", split='val')
    refused(name, r"no streams \['motion'\]; it has", streams=['motion'])
    refused(name, 'k=40 neighbours of a bank of 39 samples', k=40)
    alone = write(tmp_path / 'alone.pkl', dict(split={}, annotations=content['annotations'][:1]))
    with pytest.raises(AnnotationError, match='alone.pkl: split None has no clip to find'):
        retrieve(encoder, alone, name)
    (tmp_path / 'empty.npy').touch()
    refused(tmp_path / 'empty.npy', 'empty.npy: the file is empty')
    refused(write(tmp_path / 'none.pkl', dict(annotations=[])), 'none.pkl: 0 clips where one is expected')
    refused(pretraining[3], '40 clips where one is expected; to ask with one of several')
    refused(write(tmp_path / 'flat.npy', np.ones((9, 3))), r'flat.npy: .*shape \(9, 3\).* expected one clip')
    refused(write(tmp_path / 'text.pkl', 'a text'), 'text.pkl: it holds text; expected one clip')
    refused(
        write(tmp_path / 'kinect.npy', np.ones((9, 20, 3))),
        "query kinect: .*20 joints where layout 'ntu25' has 25",
    )


def test_the_tool_prints_a_table_and_draws(pretraining, content, embedded, tmp_path, capsys):
    query, out = content['split']['xsub_val'][0], tmp_path / 'new' / 'found.png'
    line = [pretraining[2], '--data', pretraining[3], '--query', query, '--k', 2, '--device', 'cpu', '--out']
    assert tool.main([*map(str, line), str(out)]) == 0
    assert out.read_bytes().startswith(b'\x89PNG')
    said = capsys.readouterr().out
    names, cosines = expected(embedded, query, 2)
    assert f'nearest to {query}' in said and f'made {out}' in said
    for rank, (name, cosine) in enumerate(zip(names, cosines), start=1):
        [row] = [row for row in said.splitlines() if name in row]
        assert f'│ {rank} │' in row and f'{cosine:.4f}' in row
        label = embedded.labels[embedded.names.index(name)]
        same = bool(label == embedded.labels[embedded.names.index(query)])
        assert content['class_names'][label] in row and ('same class' in row) is same
    assert tool.main([*map(str, line), str(tmp_path / 'found.bmp')]) == 2
    assert capsys.readouterr().err.startswith(f'error: {tmp_path / "found.bmp"}: draw to .png')
    line[4] = 'nobody'
    assert tool.main([*map(str, line), str(tmp_path / 'other.png')]) == 2
    error = capsys.readouterr().err
    assert "has no clip 'nobody', and there is no such file" in error and error.count('\n') == 1
    assert sorted(path.name for path in tmp_path.rglob('*.png')) == ['found.png']
