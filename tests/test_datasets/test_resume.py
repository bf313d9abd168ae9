"""A conversion killed in the middle goes on where it was, to the same bytes."""

import multiprocessing
import os
import pickle
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from i2md_mmaction.datasets.readers import NTU, PKU, Summary, convert_to_pickle, scratch

NAMES = [f'S001C001P{1 + number:03d}R001A001' for number in range(10)]


@dataclass(frozen=True)
class Counted(NTU):
    """NTU that writes down what it reads."""

    log: Path = Path()

    def read(self, path):
        with open(self.log, 'a') as file:
            file.write(f'{path.stem}\n')
        return super().read(path)


@pytest.fixture
def source(ntu_file, body, tmp_path):
    """Ten files of one or two bodies, the fourth truncated."""
    for number, name in enumerate(NAMES):
        path = ntu_file([[(7 + i, body(number + i)) for i in range(1 + number % 2)]] * (3 + number), name)
        if number == 3:
            path.write_bytes(path.read_bytes()[:-1000])
    return Counted((path.parent,), 60, frozenset(NAMES[8:9]), tmp_path / 'log')


def read(source):
    """What was read since the last call."""
    names = source.log.read_text().split() if source.log.exists() else []
    source.log.unlink(missing_ok=True)
    return names


def killed_at(number):
    """A progress bar under which the process is killed."""

    def track(items, total):
        for count, item in enumerate(items):
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            yield item

    return track


def kill_in_the_middle(source, out, number=6, workers=1):
    run = multiprocessing.get_context('fork').Process(
        target=convert_to_pickle, args=(source, out), kwargs=dict(workers=workers, track=killed_at(number))
    )
    run.start()
    run.join(60)
    assert run.exitcode == -signal.SIGKILL
    assert not out.exists()


@pytest.fixture
def out(source, tmp_path, monkeypatch):
    """The output, and beside it in ``whole`` the same of an unbroken run."""
    convert_to_pickle(source, tmp_path / 'whole' / 'a.pkl')
    assert read(source) == NAMES
    monkeypatch.setattr(scratch, 'FLUSH_SECONDS', 0)
    (tmp_path / 'out').mkdir()
    return tmp_path / 'out' / 'a.pkl'


def assert_whole(out):
    files = {path.name: path.read_bytes() for path in out.parent.iterdir()}
    whole = {path.name: path.read_bytes() for path in (out.parents[1] / 'whole').iterdir()}
    assert sorted(files) == ['a.pkl', 'a.summary.json'] and files == whole


@pytest.mark.parametrize('workers', [1, 2])
def test_a_rerun_skips_what_was_read_and_gives_the_same_bytes(source, out, workers):
    kill_in_the_middle(source, out, workers=workers)
    read(source)
    # All in the order in which they are passed on; what workers read ahead is read again.
    assert convert_to_pickle(source, out, workers=workers).resumed == 7
    assert sorted(read(source)) == NAMES[7:]
    assert_whole(out)


def test_a_run_killed_twice_goes_on_twice(source, out):
    kill_in_the_middle(source, out, number=2)
    kill_in_the_middle(source, out, number=6)
    read(source)
    assert convert_to_pickle(source, out).resumed == 7
    assert read(source) == NAMES[7:]
    assert_whole(out)


def test_a_gap_in_what_was_kept_is_not_passed_over(source, out):
    kill_in_the_middle(source, out)
    [folder] = out.parent.glob('.a.pkl.*.resume')
    sorted(folder.iterdir())[2].unlink()
    read(source)
    assert convert_to_pickle(source, out).resumed == 2
    assert read(source) == NAMES[2:]
    assert_whole(out)


@pytest.mark.parametrize('change', ['a file', 'the time of a file', 'an option', 'the readers'])
def test_nothing_is_taken_over_where_an_input_changed(source, out, change, monkeypatch):
    kill_in_the_middle(source, out)
    path = source.folders[0] / f'{NAMES[0]}.skeleton'
    if change == 'a file':
        path.write_bytes(path.read_bytes() + b'\n')
    if change == 'the time of a file':
        os.utime(path, ns=(0, 1))
    if change == 'an option':
        source = Counted(source.folders, 60, frozenset(NAMES[9:]), source.log)
    if change == 'the readers':
        monkeypatch.setattr(scratch.inspect, 'getfile', lambda code: os.devnull)
    read(source)
    assert convert_to_pickle(source, out).resumed == 0
    assert read(source) == NAMES
    assert sorted(path.name for path in out.parent.iterdir()) == ['a.pkl', 'a.summary.json']


def test_a_damaged_folder_is_named_with_the_remedy(source, out):
    kill_in_the_middle(source, out)
    [folder] = out.parent.glob('.a.pkl.*.resume')
    sorted(folder.iterdir())[0].write_bytes(b'')
    with pytest.raises(ValueError, match=f'remove the folder {folder} and start again'):
        convert_to_pickle(source, out)


def test_the_key_follows_the_labels_of_pku_and_no_order_of_sets(tmp_path):
    pku, path = PKU(tmp_path / 'skeleton', tmp_path / 'label', {}), tmp_path / 'skeleton' / '0001-L.txt'
    before = scratch._key(pku, [path])
    assert scratch._key(PKU(tmp_path / 'skeleton', tmp_path / 'label', {}), [path]) == before
    (tmp_path / 'label').mkdir()
    (tmp_path / 'label' / '0001-L.txt').write_text('1,2,3,2')
    assert scratch._key(pku, [path]) != before
    assert scratch._ordered(dict(b={'y', 'x'}, a=(Path('p'), 1))) == [('a', ['p', '1']), ('b', ['x', 'y'])]


def test_the_summary_file_does_not_tell_of_the_interruption(source, out):
    kill_in_the_middle(source, out)
    assert isinstance(summary := convert_to_pickle(source, out), Summary) and summary.resumed
    assert b'resumed' not in out.with_suffix('.summary.json').read_bytes()
    assert len(pickle.loads(out.read_bytes())['annotations']) == summary.sequences == 8
