"""`tools/study.py` from its command line: real runs, killed and broken ones, tables and pictures."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from i2md_mmaction.evaluation.inference import build_dataloader, dataloaders, embed_split, load_model
from i2md_mmaction.study.grid import Grid
from i2md_mmaction.study.jobs import run_job
from i2md_mmaction.study.results import Result, load_result, pack
from tests.processes import wait_for
from tools import study

ROOT = Path(__file__).parents[2]
STUDY = [sys.executable, str(ROOT / 'tools/study.py')]


def run(folder, *words):
    """Runs what has no result yet, two at a time; its exit status."""
    command = ['run', str(folder / 'grid.py'), '--work-dir', str(folder / 'runs'), '--jobs', '2']
    return study.main([*command, '--only', *words])


def run_here(file, name, work_dir, results):
    """Runs a run in this process, which has imported everything."""
    grid = Grid(file)
    [job] = [job for job in grid.jobs() if job.name == name]
    run_job(grid, job, work_dir, results)


def result(folder, name):
    return load_result(folder / 'results' / 'grid' / f'{name}.json')


def nearest_labels(query, bank, labels):
    """1-NN by cosine in float64."""
    query, bank = (
        value.double().flatten(1) / value.double().flatten(1).norm(dim=1, keepdim=True)
        for value in (query, bank)
    )
    return labels[(query @ bank.T).argmax(dim=1)]


def test_every_kind_of_run_leaves_a_result_that_can_be_computed_again(small_study, capsys):
    words = [f'demo/gru/{method}_seed0' for method in ('raw', 'untrained', 'supervised', 'moco')]
    assert run(small_study, words[0], words[3]) == 0
    printed = capsys.readouterr().out
    assert all(f'{word}: ' in printed for word in (words[0], words[3])) and ' left' in printed
    for word in words[1:3]:
        run_here(small_study / 'grid.py', word, small_study / 'runs', small_study / 'results' / 'grid')

    folder = small_study / 'runs' / words[3]
    config = Config.fromfile(folder / 'moco.py')
    checkpoint = folder / 'epoch_2.pth'
    for word, weights in ((words[1], None), (words[3], checkpoint)):
        model = load_model(config, weights, seed=0)
        (query, labels), (bank, bank_labels) = (
            embed_split(model, build_dataloader(loader), with_joints=True)
            for loader in dataloaders(config).values()
        )
        kept = result(small_study, word)
        for stream in ('joint', 'bone'):
            expected = nearest_labels(query[stream], bank[stream], bank_labels) == labels
            assert np.array_equal(kept.correct('knn', stream), expected)
        joined = [
            torch.cat(
                [side[stream] / side[stream].norm(dim=1, keepdim=True) for stream in ('joint', 'bone')], 1
            )
            for side in (query, bank)
        ]
        assert np.array_equal(kept.correct('knn'), nearest_labels(*joined, bank_labels) == labels)
        assert set(kept.right) == {'knn', 'linear_cached', 'semi_10'}
        assert all(set(streams) == {'joint', 'bone', 'all'} for streams in kept.right.values())
    raw = result(small_study, words[0])
    assert np.array_equal(
        raw.correct('knn'), nearest_labels(query['raw'], bank['raw'], bank_labels) == labels
    )

    units = folder / 'evaluation' / 'demo' / 'results'
    for protocol in ('linear_cached', 'semi_10'):
        scores = {name: np.load(units / f'{protocol}-{name}.npz')['scores'] for name in ('joint', 'bone')}
        scores = {
            name: np.exp(row - np.logaddexp.reduce(row, 1, keepdims=True)) for name, row in scores.items()
        }
        fused = sum(scores.values()).argmax(axis=1) == labels.numpy()
        assert np.array_equal(result(small_study, words[3]).correct(protocol), fused)

    kept, ceiling = result(small_study, words[3]), result(small_study, words[2])
    assert set(ceiling.right) == {'supervised'} and kept.samples == raw.samples == len(labels)
    assert kept.names == raw.names == ceiling.names != ''
    meta = torch.load(checkpoint, weights_only=True)['meta']
    assert "work_dir = '.." in meta['cfg']  # not where it is on this machine
    assert kept.cost['epochs'] == 2 and kept.cost['steps'] == meta['iter'] and kept.cost['gflops'] > 0
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    assert kept.cost['parameters'] == ceiling.cost['parameters'] == trained
    assert 'seconds' not in result(small_study, words[1]).cost
    assert kept.source['threads'] == 1 and kept.source['config'] != ''


def test_a_killed_run_goes_on_and_a_broken_one_is_named(small_study, capsys, monkeypatch):
    """A study that is ended after at least one epoch of a run gives what an unbroken one gives."""
    file, epochs = small_study / 'grid.py', 8
    text = file.read_text().replace('max_epochs=2', f'max_epochs={epochs}').replace('size=8', 'size=-1')
    file.write_text(re.sub(r'protocols = .*', 'protocols = dict(knn=None)', text))
    words = ['demo/gru/moco_seed1', 'demo/gru/moco_small_seed1']
    folders = ['--work-dir', str(small_study / 'runs'), '--results', str(small_study / 'results' / 'grid')]
    process = subprocess.Popen([*STUDY, 'run', str(file), '--only', words[0], *folders])
    work_dir = small_study / 'runs' / words[0]
    wait_for(lambda: list(work_dir.glob('epoch_*.pth')) or process.poll() is not None, seconds=300)
    assert list(processes_with(str(work_dir)))
    process.terminate()
    assert process.wait() == 128 + signal.SIGTERM and not list(processes_with(str(work_dir)))
    assert not (work_dir / f'epoch_{epochs}.pth').exists()

    assert run(small_study, *words) == 1
    printed = capsys.readouterr().out
    assert f'{words[0]}: knn' in printed
    log = Path(printed.split(f'{words[1]}: failed, see ')[1].split(';')[0])
    assert f'training of {words[1]} ended with status 1; see ' in log.read_text()
    assert 'size' in (small_study / 'runs' / words[1] / 'train.log').read_text()
    assert 'resumed epoch' in (work_dir / 'train.log').read_text()
    # What is finished is not run again.
    assert run(small_study, words[0]) == 0 and words[0] not in capsys.readouterr().out

    whole = small_study / 'whole'
    monkeypatch.setenv('OMP_NUM_THREADS', '1')  # as the tool's runs
    run_here(file, words[0], whole / 'runs', whole)
    unbroken, resumed = load_result(whole / f'{words[0]}.json'), result(small_study, words[0])
    assert resumed.right == unbroken.right and resumed.names == unbroken.names
    first, second = (
        torch.load(path / 'runs' / words[0] / f'epoch_{epochs}.pth', weights_only=True)['state_dict']
        for path in (small_study, whole)
    )
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def processes_with(text):
    """Processes that have a text in their command line."""
    for entry in Path('/proc').glob('[0-9]*'):
        try:
            if text in (entry / 'cmdline').read_bytes().decode(errors='replace'):
                yield int(entry.name)
        except (FileNotFoundError, ProcessLookupError):
            continue


@pytest.fixture
def with_results(small_study):
    """The study with results of its baseline and its floor that were made up."""
    for method, right in (('untrained', 4), ('moco', 8), ('moco_small', 9)):
        for data, fold in (('demo', None), ('halves', 'first'), ('halves', 'second')):
            bits = dict(knn=dict(all=pack(np.arange(10) < right), joint=pack(np.arange(10) < right - 1)))
            made = Result('gru', method, data, 0, fold, 10, f'{data} {fold}', bits)
            made.save(small_study / 'results' / 'grid')
    return small_study


def test_the_time_left_is_told_by_finished_runs_that_trained(with_results, monkeypatch):
    folder = with_results / 'results' / 'grid'
    replace(result(with_results, 'demo/gru/moco_seed0'), cost=dict(seconds=60.0)).save(folder)
    seen = {}

    class NothingToRun(study.Schedule):
        def run(self, after):
            seen.update(left=self.time_left(), waiting=[job.name for job in self.jobs])
            return []

    monkeypatch.setattr(study, 'Schedule', NothingToRun)
    assert run(with_results, 'demo/gru/untrained_seed0', 'demo/gru/moco_seed') == 0
    # The floor, which took no training, is finished as well, and does not halve what a run is taken to last.
    assert seen == dict(waiting=['demo/gru/moco_seed1'], left=60.0 / 2)


def test_tables_and_pictures_are_made_of_the_results(with_results, capsys):
    grid, folder = str(with_results / 'grid.py'), with_results / 'results' / 'grid'
    assert study.main(['table', grid]) == 0 and study.main(['plot', grid]) == 0
    page = (with_results / 'README.md').read_text()
    assert '| MoCo v2, bank of 8 | 90.0 | 90.0 | 90.0 | +10.0 [' in page and page.startswith('# Study\n')
    assert page.split('-->')[1].rpartition('\n\n')[0].strip() in (folder / 'tables.md').read_text()
    scores = json.loads((folder / 'figures.json').read_text())['scores']
    [row] = [
        row for row in scores if (row['method'], row['data'], row['stream']) == ('moco', 'halves', 'joint')
    ]
    assert row['accuracy']['value'] == pytest.approx(70)
    assert (folder / 'knn.png').read_bytes().startswith(b'\x89PNG')
    printed = capsys.readouterr().out
    made = ('figures.json', 'tables.md', 'README.md', 'knn.png')
    assert [Path(line.removeprefix('made ')).name for line in printed.splitlines()] == list(made)
    # Made again of the same results, they are the same.
    assert study.main(['table', grid]) == 0 and (with_results / 'README.md').read_text() == page


def test_runs_are_listed_with_what_is_finished(with_results, capsys):
    assert study.main(['list', str(with_results / 'grid.py'), '--only', 'demo/gru/moco']) == 0
    assert capsys.readouterr().out.splitlines() == [
        'finished demo/gru/moco_seed0',
        'finished demo/gru/moco_small_seed0',
        'to do    demo/gru/moco_seed1',
        'to do    demo/gru/moco_small_seed1',
    ]


@pytest.mark.parametrize(
    ('command', 'message'),
    [
        (['run', 'grid.py', '--only', 'simclr'], 'no run of .*grid.py has simclr in its name'),
        (['run', 'grid.py', '--jobs', '0'], '0 jobs at a time; at least one is needed'),
        (['one', 'grid.py', 'demo/gru/simclr_seed0'], "has no run 'demo/gru/simclr_seed0'"),
        (['table', 'absent.py'], 'absent.py'),
        (['plot', 'grid.py', '--protocol', 'finetune'], "no figures of 'finetune'"),
        (['table', 'damaged.py'], 'is no result of a study'),
        (['table', 'page.py'], 'the places of the page are not whole'),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(with_results, capsys, command, message):
    text = (with_results / 'grid.py').read_text()
    (with_results / 'damaged.py').write_text(text)
    damaged = with_results / 'results' / 'damaged' / 'demo' / 'gru' / 'moco_seed0.json'
    damaged.parent.mkdir(parents=True)
    damaged.write_text(
        (with_results / 'results/grid/demo/gru/moco_seed0.json').read_text().replace('80.0', '81.0')
    )
    (with_results / 'page.py').write_text(text.replace('README.md', 'grid.py'))
    command = [str(with_results / part) if part.endswith('.py') else part for part in command]
    try:
        status = study.main(command)
    except SystemExit as stop:
        status = stop.code
    error = capsys.readouterr().err
    assert status == 2 and re.search(message, error) and 'Traceback' not in error
    assert not (with_results / 'results' / 'page').exists()
