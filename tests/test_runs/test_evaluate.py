"""The evaluation tool: finishes what is open, repeats nothing, and names what failed."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from i2md_mmaction.protocols import Evaluation, Unit, report_evaluation
from tools import evaluate

ROOT = Path(__file__).parents[2]
DOWNSTREAM = ROOT / 'configs/downstream'


@pytest.fixture
def evaluation(pretraining, tmp_path):
    def build(checkpoint=pretraining[2], out=tmp_path / 'out', **options):
        return Evaluation(pretraining[1], checkpoint, out, DOWNSTREAM, **{'epochs': 1, **options})

    return build


@pytest.fixture
def trainings(monkeypatch):
    """Counts the trainings of the runner."""
    counted, train = [], Runner.train
    monkeypatch.setattr(Runner, 'train', lambda self: (counted.append(self.work_dir), train(self))[1])
    return counted


def test_units_are_protocols_by_stream_and_semi_supervised_ones_by_seed(evaluation):
    units = evaluation(runs=2).units(['knn', 'linear_cached', 'semi', 'knn'])
    assert units[:3] == [Unit('knn'), Unit('linear_cached', 'joint'), Unit('linear_cached', 'bone')]
    assert len(units) == 3 + 4 * 2 * 2 and units[-1] == Unit('semi_20', 'bone', 1)
    assert len({unit.name for unit in units}) == len(units)
    with pytest.raises(ValueError, match="no protocol 'lineal'"):
        evaluation().units(['knn', 'lineal'])
    with pytest.raises(ValueError, match=r"no streams \['motion'\]; it has \['joint', 'bone'\]"):
        evaluation(streams=['motion'])


def test_the_tool_reports_resumes_and_repeats_nothing(pretraining, tmp_path, trainings, monkeypatch):
    out = tmp_path / 'out'
    line = [str(pretraining[2]), '--config', str(pretraining[1]), '--out', str(out), '--epochs', '1']
    line += ['--streams', 'joint', 'bone', '--runs', '2']
    protocols = ['--protocols', 'knn', 'linear_cached', 'semi_20']
    assert evaluate.main([*line, *protocols]) == 0
    assert len(trainings) == 4
    report = json.loads((out / 'report.json').read_text())
    assert [row['protocol'] for row in report['rows']] == ['knn', 'linear_cached', 'semi_20']
    assert all(set(row['cells']) == {'joint', 'bone', 'ensemble'} for row in report['rows'])
    assert report['rows'][2]['cells']['joint']['last']['runs'] == 2 and not report['failed']
    assert report['dataset'] == 'demo xsub' and any(
        'Shortened to 1 epochs' in note for note in report['notes']
    )
    for name in ('confusion', 'class_accuracy', 'tsne'):
        assert (out / f'{name}.png').read_bytes().startswith(b'\x89PNG')
    records = [next(out.glob(f'runs/semi_20-joint{run}-????????/subset.json')) for run in ('', '-run1')]
    seeds = [json.loads(record.read_text()) for record in records]
    assert [record['seed'] for record in seeds] == [0, 1] and seeds[0]['names'] != seeds[1]['names']

    # Nothing is computed again: neither a training nor an embedding.
    monkeypatch.setattr(
        'i2md_mmaction.protocols.evaluation.embed_split', lambda *_, **__: pytest.fail('again')
    )
    assert evaluate.main([*line, *protocols]) == 0
    assert len(trainings) == 4
    again = json.loads((out / 'report.json').read_text())
    assert again['rows'] == report['rows']

    comparison = tmp_path / 'comparison'
    assert evaluate.main(['--compare', str(out), str(out / 'report.json'), '--out', str(comparison)]) == 0
    assert '| demo xsub | linear_cached | joint |' in (comparison / 'comparison.md').read_text()


def test_a_failure_is_named_in_the_report_and_tried_again(evaluation, monkeypatch):
    ours = evaluation(streams=['joint'])
    unit = Unit('linear', 'joint')

    def broken(self):
        raise RuntimeError('out of memory')

    with monkeypatch.context() as patch:
        patch.setattr(Runner, 'train', broken)
        results = [ours.run(unit), ours.run(Unit('knn'))]
    report, _ = report_evaluation(ours, results)
    assert report['failed'] == {'linear-joint': 'RuntimeError: out of memory'}
    assert '- `linear-joint`: RuntimeError: out of memory' in (ours.out / 'report.md').read_text()
    assert [row['protocol'] for row in report['rows']] == ['knn']
    assert 'in broken' in (ours.out / 'results/linear-joint.traceback.txt').read_text()
    assert evaluation(streams=['joint']).run(unit)['status'] == 'finished'
    assert not (ours.out / 'results/linear-joint.traceback.txt').exists()


def test_a_broken_training_goes_on_where_it_stopped(evaluation, monkeypatch):
    ours, unit, epochs = evaluation(epochs=12, streams=['joint']), Unit('finetune', 'joint'), []
    call, stop_at = Runner.call_hook, 11

    def watched(self, name, **kwargs):
        if name == 'before_train_epoch':
            epochs.append(self.epoch)
            if self.epoch == stop_at:
                raise RuntimeError('power cut')
        call(self, name, **kwargs)

    monkeypatch.setattr(Runner, 'call_hook', watched)
    assert ours.run(unit)['error'] == 'RuntimeError: power cut'
    assert epochs == [*range(12)]
    epochs.clear()
    stop_at = None
    assert ours.run(unit)['status'] == 'finished'
    assert epochs == [10, 11]  # A checkpoint is written every ten epochs.


def test_other_settings_are_run_anew_and_another_checkpoint_is_refused(evaluation, pretraining, tmp_path):
    unit = Unit('linear_cached', 'joint')
    assert evaluation().run(unit)['recipe'].startswith('1 epochs')
    assert evaluation(epochs=None).finished(unit) is None
    assert evaluation(epochs=None).run(unit)['recipe'].startswith('80 epochs')
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict={}), other)
    with pytest.raises(ValueError, match='results of another checkpoint or config; give another --out'):
        evaluation(other)


@pytest.fixture
def own(pretraining, tmp_path):
    """A config and an annotation file of this test's own, which it may change."""
    annotations, config = tmp_path / 'own.pkl', tmp_path / 'own.py'
    annotations.write_bytes(pretraining[3].read_bytes())
    loader = f'dict(dataset=dict(ann_file={str(annotations)!r}))'
    lines = [f'_base_ = {str(pretraining[1])!r}']
    lines += [f'{part}_dataloader = {loader}' for part in ('train', 'val', 'test')]
    config.write_text('\n'.join(lines) + '\n')
    return config, annotations


def rewrite(annotations):
    """The same samples, one of them moved a little."""
    content = pickle.loads(annotations.read_bytes())
    content['annotations'][0]['keypoint'] = content['annotations'][0]['keypoint'] + 1
    annotations.write_bytes(pickle.dumps(content))


def change_view(config):
    view = "[dict(type='TemporalCenterResize', num_frames=16)]"
    config.write_text(f'{config.read_text()}model = dict(data_preprocessor=dict(test_view={view}))\n')


UNITS = [Unit('knn'), Unit('linear_cached', 'joint'), Unit('finetune', 'joint')]


@pytest.mark.parametrize('change', ['data', 'config'])
def test_a_result_of_other_data_or_another_config_is_not_taken_for_finished(
    change, own, pretraining, tmp_path
):
    config, annotations = own

    def build():
        out = tmp_path / 'out'
        return Evaluation(config, pretraining[2], out, DOWNSTREAM, streams=['joint'], epochs=1)

    for unit in UNITS:
        assert build().run(unit)['status'] == 'finished'
        assert build().finished(unit)
    report_evaluation(build(), [build().run(unit) for unit in UNITS])
    drawn = (tmp_path / 'out/tsne.png').stat().st_mtime_ns
    rewrite(annotations) if change == 'data' else change_view(config)
    again = build()
    assert [again.finished(unit) for unit in UNITS] == [None] * 3
    # Nor is a training gone on from that began under the other one.
    runs = set((tmp_path / 'out/runs').iterdir())
    results = [again.run(unit) for unit in UNITS]
    assert [result['status'] for result in results] == ['finished'] * 3
    assert len(set((tmp_path / 'out/runs').iterdir()) - runs) == 1
    report_evaluation(again, results)
    assert (tmp_path / 'out/tsne.png').stat().st_mtime_ns > drawn


def test_a_result_is_the_same_wherever_the_data_lie(own, pretraining, tmp_path):
    config, annotations = own
    ours = Evaluation(config, pretraining[2], tmp_path / 'out', DOWNSTREAM, streams=['joint'], epochs=1)
    before = [ours.unit_identity(unit) for unit in UNITS]
    moved = tmp_path / 'elsewhere' / 'moved.pkl'
    moved.parent.mkdir()
    annotations.rename(moved)
    config.write_text(config.read_text().replace(str(annotations), str(moved)))
    ours = Evaluation(config, pretraining[2], tmp_path / 'out', DOWNSTREAM, streams=['joint'], epochs=1)
    assert [ours.unit_identity(unit) for unit in UNITS] == before


def test_a_shortened_training_is_not_gone_on_from_by_a_whole_one(evaluation, monkeypatch):
    unit, begun = Unit('finetune', 'joint'), []
    assert evaluation(epochs=1, streams=['joint']).run(unit)['recipe'].startswith('1 epochs')
    call = Runner.call_hook

    def watched(self, name, **kwargs):
        if name == 'before_train_epoch':
            begun.append(self.epoch)
        call(self, name, **kwargs)

    monkeypatch.setattr(Runner, 'call_hook', watched)
    assert evaluation(epochs=2, streams=['joint']).run(unit)['status'] == 'finished'
    assert begun == [0, 1]


def test_neighbours_that_the_bank_does_not_have_are_refused_before_anything_is_trained(evaluation, trainings):
    with pytest.raises(ValueError, match='k=1000 neighbours of a bank of'):
        evaluation(k=(1000, 2000)).units(['linear', 'knn'])
    assert not trainings


@pytest.mark.parametrize('wrong', ['out is a file', 'no checkpoint', 'k', 'protocol'])
def test_the_command_line_says_in_a_line_what_cannot_be(wrong, pretraining, tmp_path, capsys):
    out = tmp_path / 'out'
    line = dict(checkpoint=str(pretraining[2]), out=str(out), protocols='knn', k='1')
    changes = {'no checkpoint': dict(checkpoint='none.pth'), 'k': dict(k='1000')}
    line.update({**changes, 'protocol': dict(protocols='lineal')}.get(wrong, {}))
    if wrong == 'out is a file':
        out.write_text('mine')
    checkpoint = line.pop('checkpoint')
    arguments = [part for name, value in line.items() for part in (f'--{name}', value)]
    with pytest.raises(SystemExit) as stop:
        evaluate.main([checkpoint, '--config', str(pretraining[1]), *arguments])
    error = capsys.readouterr().err
    assert stop.value.code == 2 and 'Traceback' not in error
    said = {'out is a file': str(out), 'no checkpoint': 'none.pth', 'k': 'k=1000', 'protocol': "'lineal'"}
    assert said[wrong] in error
    assert wrong != 'out is a file' or out.read_text() == 'mine'


def test_the_scores_of_linear_are_those_of_the_pretrained_stream(evaluation, pretraining):
    ours = evaluation(streams=['bone'])
    assert ours.run(Unit('linear', 'bone'))['status'] == 'finished'
    [last] = ours.out.glob('runs/linear-bone-*/epoch_1.pth')
    kept = torch.load(last, weights_only=True)['state_dict']
    pretrained = torch.load(pretraining[2], weights_only=True)['state_dict']
    name = 'gru.0.forward_gru.weight_ih_l0'
    assert torch.equal(kept[f'backbone.backbone.{name}'], pretrained[f'streams.bone.query.backbone.{name}'])


def test_a_random_encoder_is_evaluated_as_the_floor(evaluation):
    ours = evaluation(None, streams=['joint'])
    results = [ours.run(Unit('knn')), ours.run(Unit('finetune', 'joint'))]
    assert [result['status'] for result in results] == ['finished'] * 2
    assert report_evaluation(ours, results)[0]['checkpoint'] == 'none: a random encoder'


@pytest.mark.parametrize('option', ['--runs=0', '--runs=-1', '--epochs=-3', '--epochs=1.5', '--k=0'])
def test_a_number_that_cannot_be_is_an_error_of_the_command_line(option, pretraining, tmp_path, capsys):
    line = [str(pretraining[2]), '--config', str(pretraining[1]), '--out', str(tmp_path / 'out')]
    with pytest.raises(SystemExit) as stop:
        evaluate.main([*line, option])
    error = capsys.readouterr().err
    assert stop.value.code == 2 and 'expected a whole number of at least 1' in error
    assert not (tmp_path / 'out').exists()


def test_the_command_line_asks_for_what_it_needs(capsys):
    with pytest.raises(SystemExit):
        evaluate.main(['--protocols', 'knn'])
    assert 'give CHECKPOINT, or --compare' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        evaluate.main(['random', '--protocols', 'knn'])
    assert 'random carries no config; give --config' in capsys.readouterr().err
