"""Several checkpoints in one report, and what the evaluation tool can be told of votes and ensembles."""

import json
import statistics

import numpy as np
import pytest
import torch
from mmengine.config import Config

from i2md_mmaction.evaluation import concatenate_streams, knn_predict
from i2md_mmaction.evaluation.inference import dataloaders, embed_split, load_model
from i2md_mmaction.protocols import Evaluation, Unit, summarize_reports
from tests.test_runs.test_downstream import DOWNSTREAM
from tools import evaluate


def cells(report, protocol, stream, number=0):
    rows = [row for row in report['rows'] if row['protocol'] == protocol]
    return rows[number]['cells'][stream]['last']


@pytest.fixture(scope='module')
def seeds(pretraining, tmp_path_factory):
    """Checkpoints of three seeds; that of the last one was trained for the other fold."""
    paths = []
    for seed in range(3):
        config = Config.fromfile(pretraining[1])
        if seed == 2:
            for part in ('val', 'test'):
                config[f'{part}_dataloader'].dataset.split = 'xsub_train'
                config[f'{part}_cfg'].bank.split = 'xsub_val'
        model = load_model(config, seed=seed)
        path = tmp_path_factory.mktemp(f'seed{seed}') / 'epoch_1.pth'
        torch.save(dict(meta=dict(cfg=config.pretty_text), state_dict=model.state_dict()), path)
        paths.append(path)
    return paths


def test_seeds_and_folds_give_one_report_of_means(seeds, tmp_path, capsys):
    out = tmp_path / 'out'
    line = [*map(str, seeds), '--out', str(out), '--protocols', 'knn', 'linear_cached', '--epochs', '2']
    assert evaluate.main(line) == 0
    names = [f'{path.parent.name}_epoch_1' for path in seeds]
    each = [json.loads((out / name / 'report.json').read_text()) for name in names]
    # By the config in each checkpoint.
    assert [report['dataset'] for report in each] == ['demo xsub', 'demo xsub', 'demo xsub_train']
    whole = json.loads((out / 'report.json').read_text())
    for protocol in ('knn', 'linear_cached'):
        for stream in ('joint', 'bone', 'ensemble'):
            values = [cells(report, protocol, stream)['mean'] for report in each]
            found = cells(whole, protocol, stream)
            assert found['mean'] == pytest.approx(statistics.mean(values)) and found['runs'] == 3
            assert found['spread'] == pytest.approx(statistics.stdev(values))
    page = (out / 'report.md').read_text()
    assert 'Means are over 3 checkpoints' in page
    for name, report in zip(names, each):
        last = [f'{cells(report, protocol, "ensemble")["mean"]:.1f}' for protocol in ('knn', 'linear_cached')]
        assert f'| [{name}]({name}/report.md) | {" | ".join(last)} |' in page
    assert f'made {out / "report.md"}' in capsys.readouterr().out.replace('\n', '')
    with pytest.raises(SystemExit):
        evaluate.main([str(seeds[0]), str(seeds[0]), '--out', str(out)])
    assert 'a checkpoint is named twice' in capsys.readouterr().err


def test_a_protocol_that_some_checkpoint_lacks_has_no_mean():
    cell = dict(joint=dict(last=dict(mean=50.0, spread=None, runs=1)))
    row = dict(protocol='knn', recipe='k = 1', k=1, cells=cell)
    report = dict(
        title='Evaluation of CMD on a', dataset='a', config='c', checkpoint='d', torch='2', rows=[row]
    )
    found = summarize_reports(dict(one=report, two=dict(report, rows=[])))
    assert not found['rows']
    assert found['failed'] == {'knn, k = 1': 'left out, since two has not finished it'}
    with pytest.raises(ValueError, match='runs of one method'):
        summarize_reports(dict(one=report, two=dict(report, title='Evaluation of I2MD on a')))


def test_votes_weights_and_options_are_those_of_the_command_line(pretraining, tmp_path):
    out = tmp_path / 'out'
    line = [str(pretraining[2]), '--config', str(pretraining[1]), '--out', str(out), '--epochs', '1']
    line += ['--protocols', 'knn', 'linear_cached', '--k', '1', '5', '1000', '--temperature', '0.07']
    line += ['--weights', '0.6', '0.2', '--cfg-options', 'test_cfg.bank.split=xsub_val']
    line += ['test_dataloader.dataset.split=xsub_train']
    assert evaluate.main(line) == 0
    report = json.loads((out / 'report.json').read_text())
    recipes = [row['recipe'] for row in report['rows'][:3]]
    assert recipes == ['k = 1', 'k = 5', 'k = 5, votes weighted at temperature 0.07']
    assert 'The bank has fewer samples than k = 1000, left out here.' in report['notes']
    assert 'Every ensemble weighs its streams: joint 0.6, bone 0.2.' in report['notes']

    config = Config.fromfile(pretraining[1])
    config.test_cfg.bank.split, config.test_dataloader.dataset.split = 'xsub_val', 'xsub_train'
    model = load_model(config, pretraining[2])
    (query, labels), (bank, known) = (
        embed_split(model, dataloaders(config)[part]) for part in ('query', 'bank')
    )
    weights = dict(joint=0.6, bone=0.2)
    joined = [concatenate_streams(side, weights) for side in (query, bank)]
    similarity = torch.cosine_similarity(joined[0][:, None].double(), joined[1][None].double(), dim=2)
    each = [
        torch.cosine_similarity(query[name][:, None].double(), bank[name][None].double(), dim=2)
        for name in weights
    ]
    assert torch.allclose(similarity, (0.6 * each[0] + 0.2 * each[1]) / 0.8, atol=1e-6)
    for number, options in enumerate((dict(k=1), dict(k=5), dict(k=5, temperature=0.07))):
        expected = 100 * (knn_predict(*joined, known, **options) == labels).float().mean().item()
        assert cells(report, 'knn', 'ensemble', number)['mean'] == pytest.approx(expected)
    kept = {name: np.load(out / f'results/linear_cached-{name}.npz') for name in weights}
    scores = 0.6 * kept['joint']['scores'] + 0.2 * kept['bone']['scores']
    expected = 100 * (scores.argmax(axis=1) == kept['joint']['labels']).mean()
    assert cells(report, 'linear_cached', 'ensemble')['mean'] == pytest.approx(expected)


@pytest.mark.parametrize('weights', [(0.6,), (0.6, -1.0), (0.0, 0.0)])
def test_weights_that_do_not_fit_the_streams_are_refused(weights, pretraining, tmp_path):
    with pytest.raises(ValueError, match=r"give one of at least 0 for each of \['joint', 'bone'\]"):
        Evaluation(pretraining[1], pretraining[2], tmp_path, DOWNSTREAM, weights=weights)


def test_only_a_bank_smaller_than_every_k_is_refused(pretraining, tmp_path):
    ours = Evaluation(pretraining[1], pretraining[2], tmp_path, DOWNSTREAM, k=(1000, 2000))
    with pytest.raises(ValueError, match='k=1000 neighbours of a bank of'):
        ours.units(['knn'])
    ours = Evaluation(pretraining[1], pretraining[2], tmp_path, DOWNSTREAM, k=(1, 1000))
    assert ours.units(['knn']) == [Unit('knn')] and ours.run(Unit('knn'))['dropped'] == [1000]
