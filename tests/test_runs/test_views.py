"""The sheet of a sample's views shows what training would draw, and says what was done."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from tools import browse_views

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize('name', ['cmd_demo', 'aimclr_ntu60'])
def test_each_row_is_a_view_of_training_and_says_how_it_was_augmented(annotations, name, monkeypatch):
    sheets = []
    monkeypatch.setattr(browse_views, 'plot_views', lambda *sheet: sheets.append(sheet))
    path = ROOT / f'configs/{name}.py'
    options = {
        'train_dataloader.dataset.ann_file': str(annotations),
        'train_dataloader.dataset.split': 'train',
    }
    given = [f'{key}={value}' for key, value in options.items()]
    browse_views.main([str(path), '--index', '1', '--draws', '2', '--seed', '3', '--cfg-options', *given])
    [(views, layout, _, title, notes)] = sheets
    assert layout == 'ntu25' and title == f'sample_1: views of {name}.py'

    config = Config.fromfile(path)
    config.merge_from_dict(options)
    init_default_scope('mmaction')
    sample = DATASETS.build(config.train_dataloader.dataset)[1]
    preprocessor = MODELS.build(config.model.data_preprocessor)
    batch = dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']])
    torch.manual_seed(3)
    expected = {'sample': sample['inputs'], 'evaluation': preprocessor(batch)['inputs'][0]}
    for draw in (1, 2):
        drawn = preprocessor(batch, training=True)['inputs']
        expected.update({f'view {number}, draw {draw}': view[0] for number, view in enumerate(drawn, 1)})
    assert list(views) == list(expected)
    for row, view in expected.items():
        assert torch.equal(torch.from_numpy(views[row]), view)
    chains = config.model.data_preprocessor.train_views
    for draw in (1, 2):
        for number, chain in enumerate(chains, 1):
            said = [step.split()[0] for step in notes[f'view {number}, draw {draw}'].split(' → ')]
            possible = [one.type for step in chain for one in step.get('transforms', [step])]
            assert said[0] == chain[0].type and set(said) <= set(possible) and len(said) <= len(chain)
    assert notes['evaluation'].startswith('TemporalCenterResize of frames ') and 'sample' not in notes
