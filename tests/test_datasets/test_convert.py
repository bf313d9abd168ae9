"""From raw files to a pickle: the same bytes always, and never half a file."""

import json
import multiprocessing
import os
import pickle
import time
from pathlib import Path

import numpy as np
import pytest

from i2md_mmaction.datasets import SkeletonDataset, SkeletonPreNormalize
from i2md_mmaction.datasets.packed import read_packed
from i2md_mmaction.datasets.readers import Reading, convert, convert_to_pickle, ntu60
from i2md_mmaction.io import atomic_write
from tests.processes import is_running, wait_for
from tools.data import convert as tool

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = [
    f'S{setup:03d}C001P{subject:03d}R001A{setup:03d}' for setup in (1, 2, 3) for subject in (1, 3, 4, 6, 8)
]


@pytest.fixture
def folder(ntu_file, body):
    """Fifteen sequences of one or two persons, and a truncated one."""
    for number, name in enumerate(NAMES):
        persons = [(7 + i, body(number + i)) for i in range(1 + number % 2)]
        path = ntu_file([persons] * (3 + number), name)
    path.write_bytes(path.read_bytes()[:-1000])
    return path.parent


def test_the_pickle_has_the_form_of_mmaction2(folder, tmp_path):
    convert_to_pickle(ntu60([folder]), tmp_path / 'a.pkl')
    dataset = pickle.loads((tmp_path / 'a.pkl').read_bytes())
    assert set(dataset) == {'split', 'annotations'}
    assert [a['frame_dir'] for a in dataset['annotations']] == NAMES[:-1]
    for number, annotation in enumerate(dataset['annotations']):
        assert list(annotation) == ['frame_dir', 'label', 'total_frames', 'keypoint']
        assert annotation['keypoint'].shape == (1 + number % 2, annotation['total_frames'], 25, 3)
        assert annotation['keypoint'].dtype == np.float32
    assert set(dataset['split']['xsub_train'] + dataset['split']['xsub_val']) == set(NAMES[:-1])


def test_bytes_do_not_depend_on_the_number_of_workers(folder, tmp_path):
    for workers in (1, 2, 3):
        convert_to_pickle(ntu60([folder]), tmp_path / f'{workers}.pkl', workers=workers)
    for suffix in ('pkl', 'summary.json'):
        assert len({(tmp_path / f'{workers}.{suffix}').read_bytes() for workers in (1, 2, 3)}) == 1


def test_a_truncated_file_is_counted_and_named_and_the_rest_converted(folder, tmp_path):
    summary = convert_to_pickle(ntu60([folder]), tmp_path / 'a.pkl')
    assert (summary.sequences, summary.classes, summary.persons) == (14, 3, {1: 7, 2: 7})
    assert summary.frames == sum(3 + number for number in range(14))
    written = json.loads((tmp_path / 'a.summary.json').read_text())
    [drop] = written['dropped']['truncated file']
    assert drop['name'] == NAMES[-1]
    assert f'{NAMES[-1]}.skeleton, line' in drop['detail']


def test_no_sample_at_all_is_an_error_and_leaves_no_file(ntu_file, tmp_path):
    path = ntu_file([[]])
    with pytest.raises(ValueError, match='none of 1 files gave a sample.*no body'):
        convert_to_pickle(ntu60([path.parent]), tmp_path / 'out' / 'a.pkl')
    assert list((tmp_path / 'out').iterdir()) == []


def test_progress_covers_every_file(folder):
    seen = []
    convert(ntu60([folder]), track=lambda items, total: seen.append(total) or items)
    assert seen == [15]


class Stuck:
    """A dataset that says who reads it, then takes for ever."""

    def __init__(self, folder):
        self.folder = folder

    def files(self):
        return {str(number): self.folder / str(number) for number in range(4)}

    def read(self, path):
        (self.folder / f'pid-{os.getpid()}').touch()
        time.sleep(100)
        return Reading()

    def splits(self, names):
        return {}


@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='looks for processes in /proc')
def test_kill_9_leaves_the_old_pickle_and_no_process_and_a_rerun_cleans_up(folder, tmp_path):
    out, marks = tmp_path / 'out' / 'a.pkl', tmp_path / 'marks'
    marks.mkdir()
    with atomic_write(out) as file:
        file.write(b'old')
    run = multiprocessing.get_context('fork').Process(
        target=convert_to_pickle, args=(Stuck(marks), out), kwargs=dict(workers=2)
    )
    run.start()
    wait_for(lambda: len(list(marks.glob('pid-*'))) == 2, seconds=20)
    run.kill()
    run.join()
    wait_for(lambda: not any(is_running(path.name[4:]) for path in marks.glob('pid-*')), seconds=20)
    assert out.read_bytes() == b'old'
    assert [path.name for path in out.parent.iterdir() if path != out] == [f'.a.pkl.{run.pid}.partial']

    convert_to_pickle(ntu60([folder]), out)
    assert sorted(path.name for path in out.parent.iterdir()) == ['a.pkl', 'a.summary.json']
    assert len(pickle.loads(out.read_bytes())['annotations']) == 14


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    path = tmp_path / 'a'
    with pytest.raises(FileNotFoundError, match='another run'), atomic_write(path) as first:
        first.write(b'first')
        (next(tmp_path.glob('.a.*.partial'))).unlink()
    assert not path.exists()


def test_the_command_line_converts_and_packs(folder, tmp_path, capsys):
    (tmp_path / 'missing.txt').write_text(NAMES[0])
    out = tmp_path / 'ntu.pkl'
    command = [
        'ntu120',
        str(folder),
        '--out',
        str(out),
        '--workers',
        '2',
        '--missing',
        str(tmp_path / 'missing.txt'),
    ]
    assert tool.main(command) == 0
    printed = capsys.readouterr().out
    assert '13 sequences, 3 classes' in printed
    assert f'on the list of missing skeletons: 1 ({NAMES[0]})' in printed
    assert f'truncated file: 1 ({folder}' in printed

    assert tool.main(['pack', str(out), str(tmp_path / 'packed')]) == 0
    dataset, loaded = pickle.loads(out.read_bytes()), read_packed(tmp_path / 'packed')
    assert loaded['split'] == dataset['split']
    for got, expected in zip(loaded['annotations'], dataset['annotations']):
        np.testing.assert_array_equal(got.pop('keypoint'), expected.pop('keypoint'))
        assert got == expected


@pytest.mark.parametrize('options, left', [([], 13), (['--missing', 'none'], 14)])
def test_the_published_list_of_missing_skeletons_is_the_default(folder, tmp_path, options, left):
    (folder / f'{NAMES[0]}.skeleton').rename(folder / 'S001C002P005R002A008.skeleton')
    out = tmp_path / 'ntu.pkl'
    assert tool.main(['ntu60', str(folder), '--out', str(out), '--workers', '1', *options]) == 0
    assert len(pickle.loads(out.read_bytes())['annotations']) == left
    dropped = json.loads(out.with_suffix('.summary.json').read_text())['dropped']
    listed = [drop['name'] for drop in dropped.get('on the list of missing skeletons', [])]
    assert listed == ([] if options else ['S001C002P005R002A008'])


@pytest.mark.parametrize('command', ['ntu60 {0}/none', 'pku1 {0}', 'pku2 {0}', 'nwucla {0}'])
def test_the_command_line_says_what_is_wrong(tmp_path, capsys, command):
    status = tool.main(
        [*command.format(tmp_path).split(), '--out', str(tmp_path / 'a.pkl'), '--workers', '1']
    )
    assert status == 1
    assert str(tmp_path) in capsys.readouterr().err.replace('\n', '')
    assert not list(tmp_path.glob('*a.pkl*'))


@pytest.mark.parametrize('dataset', ['ntu60', 'ntu120'])
def test_a_jittering_ghost_is_the_main_person_unless_it_is_denoised(ntu_file, tmp_path, capsys, dataset):
    generator = np.random.default_rng(0)
    stance = generator.normal(size=(25, 3)) * [0.15, 0.5, 0.1] + [0, 0, 3]
    person = (stance + generator.normal(size=(40, 25, 3)) * 0.01).round(4)
    ghost = (generator.normal(size=(40, 25, 3)) * [1.5, 0.7, 1.0] + [1, 0, 4]).round(4)
    path = ntu_file([[(7, quiet), (8, jitter)] for quiet, jitter in zip(person, ghost)])

    kept, printed = {}, {}
    for name, options in (('raw', []), ('denoised', ['--denoise'])):
        out = tmp_path / f'{name}.pkl'
        assert tool.main([dataset, str(path.parent), '--out', str(out), '--workers', '1', *options]) == 0
        [annotation] = pickle.loads(out.read_bytes())['annotations']
        kept[name], printed[name] = annotation['keypoint'], capsys.readouterr().out
    assert np.array_equal(kept['raw'], np.float32([ghost, person]))
    assert np.array_equal(kept['denoised'], np.float32([person]))
    assert 'bodies dropped' not in printed['raw'] and 'persons: 1 with 2' in printed['raw']
    assert 'bodies dropped by --denoise (spread): 1\n' in printed['denoised']
    written = json.loads((tmp_path / 'denoised.summary.json').read_text())
    assert written['notes'] == {'bodies dropped by --denoise (spread)': 1}


def test_skeletons_are_prenormalised_at_conversion_as_on_the_fly(folder, tmp_path):
    for name, options in (('raw', []), ('normalised', ['--prenormalize'])):
        assert tool.main(['ntu60', str(folder), '--out', str(tmp_path / f'{name}.pkl'), *options]) == 0
    raw, normalised = (
        pickle.loads((tmp_path / f'{name}.pkl').read_bytes()) for name in ('raw', 'normalised')
    )
    transform = SkeletonPreNormalize('ntu25')
    assert normalised['prenormalized'] == transform.settings and 'prenormalized' not in raw
    for before, after in zip(raw['annotations'], normalised['annotations']):
        assert not np.array_equal(before['keypoint'], after['keypoint'])
        np.testing.assert_array_equal(transform(before)['keypoint'], after['keypoint'])
    dataset = SkeletonDataset(str(tmp_path / 'normalised.pkl'), [transform], num_persons=2)
    assert dataset.pipeline.transforms == []


def test_what_stands_in_the_way_of_the_output_is_named_before_anything_is_read(folder, tmp_path, capsys):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'file').write_text('mine')
    assert tool.main(['ntu60', str(folder), '--out', str(tmp_path / 'folder')]) == 1
    assert f'a file is to be written where a folder is: {str(tmp_path / "folder")!r}' in read_error(capsys)
    assert tool.main(['pack', str(tmp_path / 'none.pkl'), str(tmp_path / 'file')]) == 1
    assert f'{tmp_path / "file"} is a file; name a folder to pack into' in read_error(capsys)
    assert (tmp_path / 'file').read_text() == 'mine' and not list((tmp_path / 'folder').iterdir())


def read_error(capsys):
    return capsys.readouterr().err.replace('\n', '')
