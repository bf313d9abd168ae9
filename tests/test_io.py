"""Files are written whole or not at all, and a failure says which file and what is left."""

import errno
import os
import resource
import signal

import pytest

from i2md_mmaction.io import atomic_write, file_digest, write_file


def test_a_block_that_raises_leaves_the_file_as_it_was(tmp_path):
    write_file(tmp_path / 'a', 'old')
    with pytest.raises(ZeroDivisionError), atomic_write(tmp_path / 'a') as file:
        file.write(b'new')
        _ = 1 / 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {'a': 'old'}


def test_a_folder_in_the_place_of_the_file_is_named_before_the_work(tmp_path):
    (tmp_path / 'a').mkdir()
    said = f'a file is to be written where a folder is.*{tmp_path}/a'
    with pytest.raises(IsADirectoryError, match=said), atomic_write(tmp_path / 'a'):
        pytest.fail('the work had begun')


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / 'a').write_text('a file')
    with pytest.raises(OSError, match=f'it was not written and no part of it is left.*{tmp_path}/a/b'):
        write_file(tmp_path / 'a' / 'b', 'text')


@pytest.mark.parametrize(
    'existing, kept', [(True, 'that was there is kept'), (False, 'no part of it is left')]
)
def test_a_full_disk_names_the_file_and_what_was_kept(tmp_path, existing, kept):
    """A limit on the size of files stands in for the end of the disk."""
    path, report = tmp_path / 'a', tmp_path / 'report'
    if existing:
        write_file(path, 'old')
    child = os.fork()
    if not child:  # the limit would stay with this process
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        try:
            write_file(path, b'x' * 100_000)
        except OSError as error:
            report.write_text(str(error))
        os._exit(0)
    os.waitpid(child, 0)
    message = report.read_text()
    report.unlink()
    assert 'File too large' in message and kept in message and str(path) in message
    assert [path.name for path in tmp_path.iterdir()] == ['a'] * existing
    assert not existing or path.read_text() == 'old'


def test_a_missing_right_names_the_file(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, 'Permission denied', '.a.1.partial')

    monkeypatch.setattr('builtins.open', refuse)
    with pytest.raises(PermissionError, match=f'Permission denied; it was not written.*{tmp_path}/a'):
        write_file(tmp_path / 'a', 'text')


def test_an_error_of_the_work_itself_is_not_taken_for_one_of_the_disk(tmp_path):
    with pytest.raises(FileNotFoundError, match='source.txt'), atomic_write(tmp_path / 'a'):
        (tmp_path / 'source.txt').read_text()


def test_only_its_own_leftovers_are_removed(tmp_path):
    for name in ('.a.12.partial', '.a.b.12.partial', '.a.x.partial', 'a.12.partial'):
        (tmp_path / name).touch()
    write_file(tmp_path / 'a', 'text')
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ['.a.b.12.partial', '.a.x.partial', 'a', 'a.12.partial']


def test_a_digest_tells_contents_apart(tmp_path):
    paths = [write_file(tmp_path / name, text) for name, text in (('a', 'one'), ('b', 'one'), ('c', 'two'))]
    first, same, other = map(file_digest, paths)
    assert first == same != other and len(first) == 64
