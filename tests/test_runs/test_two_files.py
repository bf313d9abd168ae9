"""The same data in one file and in two give the same numbers in every protocol."""

import pickle
import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2md_mmaction.evaluation.inference import bank_dataloader, dataloaders
from i2md_mmaction.protocols import Evaluation, report_evaluation

DOWNSTREAM = Path(__file__).parents[2] / 'configs/downstream'
#: The others train by the same configs: finetune and transfer as semi, linear_aimclr as linear.
PROTOCOLS = ['knn', 'linear_cached', 'linear', 'semi_20']
FORMS = ['one file', 'two files, other splits', 'two plain lists']


@pytest.fixture(scope='module')
def forms(pretraining, tmp_path_factory):
    """Name of a form -> the pre-training config on the same data in that form."""
    _, base, _, annotations = pretraining
    content = pickle.loads(annotations.read_bytes())
    folder, configs = tmp_path_factory.mktemp('forms'), {}
    parts = {}
    for part in ('train', 'val'):
        names = set(content['split'][f'xsub_{part}'])
        parts[part] = [entry for entry in content['annotations'] if entry['frame_dir'] in names]
    for form in FORMS:
        files, splits = {}, {}
        for part, entries in parts.items():
            files[part] = folder / f'{form}_{part}.pkl'
            splits[part] = dict(zip(FORMS[1:], (f'{part} on monday', None))).get(form)
            whole = entries
            if splits[part] is not None:
                names = [entry['frame_dir'] for entry in entries]
                whole = dict(split={splits[part]: names}, annotations=entries)
            files[part].write_bytes(pickle.dumps(whole))
        configs[form] = folder / f'{form.replace(" ", "_").replace(",", "")}.py'
        text = f'_base_ = {str(base)!r}\n'
        if form != 'one file':
            train, val = (dict(ann_file=str(files[part]), split=splits[part]) for part in ('train', 'val'))
            text += f'train_dataloader = dict(dataset={train})\n'
            text += ''.join(f'{stage}_dataloader = dict(dataset={val})\n' for stage in ('val', 'test'))
            text += ''.join(f'{stage}_cfg = dict(bank={train})\n' for stage in ('val', 'test'))
        configs[form].write_text(text)
    return configs


@pytest.fixture(scope='module')
def results(forms, pretraining, tmp_path_factory):
    """Form -> unit -> what it gave, for every protocol that a tiny data set allows."""
    found = {}
    for form, config in forms.items():
        out = tmp_path_factory.mktemp('out')
        options = dict(streams=['joint'], epochs=1, runs=1, k=(1, 3))
        ours = Evaluation(config, pretraining[2], out, DOWNSTREAM, **options)
        units = ours.units(PROTOCOLS)
        kept = [ours.run(unit) for unit in units]
        assert [result.get('error') for result in kept] == [None] * 4
        keys = ('votes', 'last', 'best')
        found[form] = {result['unit']: [result.get(key) for key in keys] for result in kept}
        report = report_evaluation(ours, kept)[0]
        assert not report['failed'] and report['dataset'].startswith('demo')
    return found


@pytest.mark.parametrize('form', FORMS[1:])
def test_every_protocol_gives_the_numbers_of_one_file(form, results):
    assert results[form] == results['one file']
    # And not those of a bank in which every query finds itself.
    assert results[form]['knn'][0][0]['accuracies']['top1_joint'] < 100


@pytest.mark.parametrize('form', FORMS)
def test_the_loop_measures_what_the_protocol_does(form, forms, results, pretraining, tmp_path):
    config = Config.fromfile(forms[form])
    config.update(work_dir=str(tmp_path), load_from=str(pretraining[2]), experiment_name=form)
    config.visualizer = dict(type='Visualizer', vis_backends=[], name=f'{tmp_path}')
    measured = Runner.from_cfg(config).test()
    assert measured['knn/top1_joint'] == results[form]['knn'][0][0]['accuracies']['top1_joint']


@pytest.mark.parametrize('form', FORMS)
def test_the_demo_report_measures_it_too(form, forms, results, pretraining, tmp_path, capsys, monkeypatch):
    from tools import demo_report

    monkeypatch.setattr(demo_report, 'plot_run', lambda work_dir, path, title: path)
    demo_report.main([str(forms[form]), str(pretraining[2]), '--out', str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    line = next(line for line in lines if re.search(r'pre-trained\W.*\d\.\d', line))
    accuracy = results['one file']['knn'][0][0]['accuracies']['top1_joint']
    assert re.findall(r'[\d.]+', line)[0] == f'{accuracy:.1f}'


def test_a_bank_is_what_its_config_has_different():
    queries = dict(batch_size=8, dataset=dict(type='A', ann_file='a.pkl', split='val', test_mode=True))
    bank = bank_dataloader(queries, dict(ann_file='b.pkl', split=None))
    assert bank == dict(batch_size=8, dataset=dict(type='A', ann_file='b.pkl', split=None, test_mode=True))
    whole = dict(type='ConcatDataset', datasets=[1, 2])
    assert bank_dataloader(queries, whole) == dict(batch_size=8, dataset=whole)
    assert queries['dataset']['ann_file'] == 'a.pkl'


def test_a_config_without_a_bank_is_refused(pretraining):
    config = Config.fromfile(pretraining[1])
    config.test_cfg.pop('bank')
    with pytest.raises(ValueError, match='no bank is named; set bank of val_cfg and test_cfg'):
        dataloaders(config)
