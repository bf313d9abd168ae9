"""Bad input is refused before the first step, and the message says where and what to do."""

import json
import pickle

import numpy as np
import pytest
from mmaction.datasets.transforms import PackActionInputs
from mmengine.logging import MMLogger

from i2md_mmaction.datasets import (
    AnnotationError,
    SkeletonDataset,
    SkeletonPreNormalize,
    check_annotations,
    load_annotations,
)
from i2md_mmaction.datasets.annotations import Expected
from i2md_mmaction.datasets.packing import write_packed
from i2md_mmaction.skeletons import get_layout


def refused(path, **options):
    """The message with which the dataset refuses a file."""
    with pytest.raises(AnnotationError) as error:
        SkeletonDataset(str(path), pipeline=[], split='train', **options)
    return str(error.value)


def spoil_second(annotations, **fields):
    """The annotations with fields of the second one changed; None takes a field out."""
    second = {name: value for name, value in {**annotations[1], **fields}.items() if value is not None}
    return [annotations[0], second, *annotations[2:]]


def keypoint_with(value, shape=(1, 9, 25, 3)):
    keypoint = np.ones(shape, np.float32)
    keypoint[0, 4, 7, 1] = value
    return keypoint


BAD_SAMPLES = {
    'wrong joint count': (
        dict(keypoint=np.ones((1, 9, 20, 3)), total_frames=9),
        "keypoint: 20 joints where layout 'ntu25' has 25",
        'set `layout`',
    ),
    'more persons than the model takes': (
        dict(keypoint=np.ones((3, 9, 25, 3)), total_frames=9),
        'keypoint: 3 persons where the model takes 2',
        'raise `num_persons`',
    ),
    'zero frames': (
        dict(keypoint=np.ones((1, 0, 25, 3)), total_frames=0),
        'keypoint: 0 frames of 1 persons',
        'drop the sample',
    ),
    'zero persons': (
        dict(keypoint=np.ones((0, 9, 25, 3)), total_frames=9),
        'keypoint: 9 frames of 0 persons',
        'drop the sample',
    ),
    'NaN': (
        dict(keypoint=keypoint_with(np.nan), total_frames=9),
        'keypoint: NaN or infinite',
        'repair or drop the sample',
    ),
    'infinity': (
        dict(keypoint=keypoint_with(-np.inf), total_frames=9),
        'keypoint: NaN or infinite',
        'repair or drop the sample',
    ),
    'nobody seen': (
        dict(keypoint=np.zeros((1, 9, 25, 3)), total_frames=9),
        'keypoint: zero throughout',
        'drop the sample',
    ),
    'two coordinates': (
        dict(keypoint=np.ones((1, 9, 25, 2)), total_frames=9),
        'keypoint: 2 coordinates where 3 are expected',
        'set `num_coordinates`',
    ),
    'a list': (
        dict(keypoint=np.ones((1, 9, 25, 3)).tolist(), total_frames=9),
        'keypoint: a list where an array is expected',
        'store an array of floats',
    ),
    'ragged lists': (
        dict(keypoint=[[[[1.0, 2.0]], [[1.0]]]], total_frames=2),
        'keypoint: a list where an array is expected',
        'store an array of floats',
    ),
    'booleans': (
        dict(keypoint=np.ones((1, 9, 25, 3), bool), total_frames=9),
        "keypoint: an array of 'bool' where real numbers are expected",
        'store an array of floats',
    ),
    'complex numbers': (
        dict(keypoint=np.ones((1, 9, 25, 3), complex), total_frames=9),
        "keypoint: an array of 'complex128' where real numbers are expected",
        'store an array of floats',
    ),
    'text': (
        dict(keypoint=np.full((1, 9, 25, 3), 'a'), total_frames=9),
        "keypoint: an array of '<U1' where real numbers are expected",
        'store an array of floats',
    ),
    'objects': (
        dict(keypoint=np.full((1, 9, 25, 3), None), total_frames=9),
        "keypoint: an array of 'object' where real numbers are expected",
        'store an array of floats',
    ),
    'beyond any body': (
        dict(keypoint=keypoint_with(-2e4), total_frames=9),
        'keypoint: a coordinate of 2e+04, beyond `max_coordinate` of 1e+04',
        'repair or drop',
    ),
    'frame number no number': (
        dict(total_frames=[[30] * 5000]),
        'total_frames: [[30, 30, 30, 30, 30, 30, ...]] where keypoint has 30',
        'make the file anew',
    ),
    'label nested': (
        dict(label={'a': ['b' * 10**5]}),
        'label: ',
        'make the file anew',
    ),
    'label true': (dict(label=True), 'label: True is no whole number', 'make the file anew'),
    'wrong dimensions': (
        dict(keypoint=np.ones((9, 25, 3))),
        'keypoint: shape (9, 25, 3)',
        'store an array of floats (persons, frames, joints, coordinates)',
    ),
    'keypoint missing': (dict(keypoint=None), 'keypoint: missing', 'make the file anew'),
    'frame number wrong': (
        dict(total_frames=31),
        'total_frames: 31 where keypoint has 30',
        'make the file anew',
    ),
    'label too high': (dict(label=2), 'label: 2 outside 0 to 1', 'set `num_classes`'),
    'label negative': (dict(label=-2), 'label: -2 outside 0 to 1', 'set `num_classes`'),
}


@pytest.mark.parametrize('case', BAD_SAMPLES)
def test_a_bad_sample_is_refused_naming_file_sample_field_and_remedy(
    case, ntu_annotations, write_annotations
):
    fields, problem, remedy = BAD_SAMPLES[case]
    path = write_annotations(spoil_second(ntu_annotations, **fields))
    message = refused(path, num_classes=2)
    assert str(path) in message and '1 of 3 samples' in message
    assert f'sample1: {problem}' in message and remedy in message.partition(problem)[2]
    assert len(message) < 1000


@pytest.mark.parametrize('case', BAD_SAMPLES)
def test_drop_invalid_leaves_the_bad_sample_out_and_logs_it(
    case, ntu_annotations, write_annotations, monkeypatch
):
    fields, problem, _ = BAD_SAMPLES[case]
    warnings = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'warning', lambda message, *_: warnings.append(message))
    path = write_annotations(spoil_second(ntu_annotations, **fields))
    dataset = SkeletonDataset(str(path), pipeline=[], split='train', num_classes=2, drop_invalid=True)
    assert [dataset.get_data_info(index)['frame_dir'] for index in range(len(dataset))] == [
        'sample0',
        'sample2',
    ]
    (warning,) = warnings
    assert str(path) in warning and f'sample1: {problem}' in warning and 'left out' in warning


def test_a_negative_label_is_refused_also_where_the_classes_are_unknown(ntu_annotations):
    problems = check_annotations(spoil_second(ntu_annotations, label=-2), Expected(get_layout('ntu25')))
    assert list(problems) == [1] and 'label: -2 outside the classes' in problems[1][0]


def test_a_bad_sample_without_a_name_does_not_take_the_others_with_it(ntu_annotations, tmp_path):
    for annotation in ntu_annotations:
        del annotation['frame_dir']
    path = tmp_path / 'nameless.pkl'
    path.write_bytes(pickle.dumps(spoil_second(ntu_annotations, label=-2)))
    dataset = SkeletonDataset(str(path), pipeline=[], drop_invalid=True)
    assert len(dataset) == 3


def test_bad_samples_of_another_split_do_no_harm(ntu_annotations, write_annotations):
    ntu_annotations[3]['keypoint'] = ntu_annotations[3]['keypoint'] * np.nan
    path = write_annotations(ntu_annotations)
    assert len(SkeletonDataset(str(path), pipeline=[], split='train')) == 3
    with pytest.raises(AnnotationError, match='sample3: keypoint: NaN'):
        SkeletonDataset(str(path), pipeline=[], split='val')


def test_the_first_five_of_many_bad_samples_are_named(ntu_annotations, write_annotations):
    bad = [dict(ntu_annotations[0], frame_dir=f'bad{number}', label=9) for number in range(7)]
    message = refused(write_annotations([*bad, ntu_annotations[0]]), num_classes=2)
    assert '7 of 7 samples' in message and 'bad4:' in message and 'bad5:' not in message


def test_a_missing_split_is_refused_with_those_there_are(ntu_pickle):
    with pytest.raises(AnnotationError) as error:
        SkeletonDataset(str(ntu_pickle), pipeline=[], split='xsub_train')
    for part in (str(ntu_pickle), "'xsub_train'", "['train', 'val']", 'Set `split`'):
        assert part in str(error.value)


def test_a_split_of_a_bare_list_is_refused(ntu_annotations, tmp_path):
    path = tmp_path / 'list.pkl'
    path.write_bytes(pickle.dumps(ntu_annotations))
    assert f"{path} has no split 'train'" in refused(path)
    assert len(SkeletonDataset(str(path), pipeline=[])) == 4


def test_a_split_naming_an_absent_sample_is_refused(ntu_annotations, write_annotations):
    path = write_annotations(ntu_annotations, split=dict(train=['sample0', 'sample9']))
    message = refused(path)
    for part in (str(path), "split 'train'", "['sample9']", 'take them out of the split'):
        assert part in message


def test_a_name_that_stands_twice_is_refused(ntu_annotations, write_annotations):
    ntu_annotations[1]['frame_dir'] = 'sample0'
    path = write_annotations(ntu_annotations)
    message = refused(path)
    assert str(path) in message and "stand twice, the first ['sample0']" in message


def test_an_empty_split_is_refused(ntu_annotations, write_annotations):
    path = write_annotations(ntu_annotations, split=dict(train=[]))
    assert f"{path}: split 'train' is empty" in refused(path)


def test_a_split_of_which_nothing_is_left_is_refused(ntu_annotations, write_annotations):
    path = write_annotations(spoil_second(ntu_annotations, label=7), split=dict(train=['sample1']))
    assert 'is empty' in refused(path, num_classes=2, drop_invalid=True)


def test_an_absent_file_is_refused_with_the_way_to_get_one(tmp_path):
    message = refused(tmp_path / 'none.pkl')
    assert f'{tmp_path / "none.pkl"} does not exist' in message and 'I2MD_DATA' in message


def test_coordinates_beyond_a_body_are_a_matter_of_the_config(ntu_annotations, write_annotations):
    far = keypoint_with(2e4, ntu_annotations[1]['keypoint'].shape)
    path = write_annotations(spoil_second(ntu_annotations, keypoint=far))
    assert len(SkeletonDataset(str(path), pipeline=[], split='train', max_coordinate=1e5)) == 3
    packed = path.with_suffix('')
    write_packed(load_annotations(path), packed)
    assert 'sample1: keypoint: a coordinate of 2e+04' in refused(packed)
    assert len(SkeletonDataset(str(packed), pipeline=[], split='train', max_coordinate=1e5)) == 3


CONTAINERS = {
    'annotations no list': (lambda content: content.update(annotations='abc'), "'annotations' is a str"),
    'annotation no dict': (lambda content: content['annotations'].insert(1, [3]), 'annotation 1 is a list'),
    'name no text': (
        lambda content: content['annotations'][2].update(frame_dir=['a']),
        'annotation 2 has a list as its name',
    ),
    'split no dict': (lambda content: content.update(split=['train']), "'split' is a list"),
    'split of numbers': (
        lambda content: content['split'].update(val=[1, 2]),
        "split 'val' is no list of names",
    ),
    'split of text': (
        lambda content: content['split'].update(val='sample0'),
        "split 'val' is no list of names",
    ),
    'split missing': (lambda content: content.pop('split'), "has no split 'train'; it has []"),
}


@pytest.mark.parametrize('case', CONTAINERS)
def test_containers_of_another_type_are_refused(case, ntu_annotations, write_annotations):
    spoil, problem = CONTAINERS[case]
    path = write_annotations(ntu_annotations)
    content = pickle.loads(path.read_bytes())
    spoil(content)
    path.write_bytes(pickle.dumps(content))
    message = refused(path)
    assert str(path) in message and problem in message


DAMAGED = {
    'no JSON': lambda index: index.write_text(index.read_text()[:-20]),
    'no columns': lambda index: edit(index, lambda content: content.pop('columns')),
    'a column short': lambda index: edit(index, lambda content: content['columns']['label'].pop()),
    'frames of another type': lambda index: edit(index, lambda content: content.update(frames='x')),
    'frames no numbers': lambda index: edit(index, lambda content: content['frames'].__setitem__(0, None)),
    'fewer frames': lambda index: edit(index, lambda content: content['frames'].__setitem__(0, 1)),
    'persons of another length': lambda index: edit(index, lambda content: content['persons'].pop()),
    'no keypoints': lambda index: edit(index, lambda content: content['arrays'].clear()),
}


def edit(index, change):
    content = json.loads(index.read_text())
    change(content)
    index.write_text(json.dumps(content))


@pytest.mark.parametrize('damage', DAMAGED)
def test_a_damaged_packed_folder_is_refused(damage, ntu_annotations, write_annotations, tmp_path):
    write_packed(load_annotations(write_annotations(ntu_annotations)), tmp_path / 'packed')
    DAMAGED[damage](tmp_path / 'packed' / 'index.json')
    message = refused(tmp_path / 'packed')
    assert str(tmp_path / 'packed') in message and 'pack the dataset again' in message


@pytest.mark.parametrize('content', [dict(split={}), 'text', 7])
def test_a_file_of_another_form_is_refused_with_the_expected_one(content, tmp_path):
    path = tmp_path / 'other.pkl'
    path.write_bytes(pickle.dumps(content))
    message = refused(path)
    assert str(path) in message and "expected mmaction2's skeleton format" in message


def test_a_split_holds_its_samples_in_the_order_of_the_file(ntu_annotations, write_annotations):
    path = write_annotations(ntu_annotations, split=dict(train=['sample2', 'sample0']))
    dataset = SkeletonDataset(str(path), pipeline=[], split='train')
    assert [dataset.get_data_info(index)['frame_dir'] for index in (0, 1)] == ['sample0', 'sample2']


def test_half_precision_keypoints_are_sound(ntu_annotations, write_annotations):
    for annotation in ntu_annotations:
        annotation['keypoint'] = annotation['keypoint'].astype(np.float16)
    pipeline = [SkeletonPreNormalize(), PackActionInputs(meta_keys=('frame_dir',))]
    dataset = SkeletonDataset(str(write_annotations(ntu_annotations)), pipeline, split='train')
    packed = dataset[1]['inputs']
    assert packed.shape == (2, 30, 25, 3) and str(packed.dtype) == 'torch.float32'


def test_the_check_leaves_the_annotations_as_they_are(ntu_annotations):
    before = pickle.dumps(ntu_annotations)
    assert check_annotations(ntu_annotations, Expected(get_layout('ntu25'), num_classes=2)) == {}
    assert pickle.dumps(ntu_annotations) == before


def test_the_real_file_is_sound(nwucla_file):
    content = load_annotations(nwucla_file)
    assert len(content['annotations']) == 1484
    assert check_annotations(content['annotations'], Expected(get_layout('kinect20'), 1, 10, 3)) == {}
    assert {name: len(names) for name, names in content['split'].items()} == dict(
        xview_train=1020, xview_val=464, xsub_train=724, xsub_val=760
    )
