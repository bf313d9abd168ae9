"""The model index: every method with its paper, and of every config what it builds."""

import re
from pathlib import Path

import modelindex
import pytest
import torch
import yaml
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from i2md_mmaction.models import recognizers

ROOT = Path(__file__).parents[1]
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text())
METHODS = {collection['Name']: collection for collection in INDEX['Collections']}


def test_the_index_is_what_the_index_library_takes():
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    index.check(silent=True)
    assert not index.check_errors
    assert [model.full_model.paper['URL'] for model in index.models] == [
        METHODS[model['In Collection']]['Paper']['URL'] for model in INDEX['Models']
    ]


def test_the_index_names_every_pretraining_config_once():
    listed = [model['Config'] for model in INDEX['Models']]
    assert sorted(listed) == sorted(f'configs/{path.name}' for path in (ROOT / 'configs').glob('*.py'))
    assert [f'configs/{model["Name"]}.py' for model in INDEX['Models']] == listed


def test_mim_finds_every_pretraining_config_by_its_name():
    # mim looks through the whole package and refuses a name that occurs twice.
    names = [
        path.name
        for folder in ('i2md_mmaction', 'configs', 'tools')
        for path in (ROOT / folder).rglob('*.py')
    ]
    names = [name for name in names if f'configs/{name}' in {model['Config'] for model in INDEX['Models']}]
    assert len(names) == len(set(names))


def test_every_method_has_models_and_a_paper():
    assert {model['In Collection'] for model in INDEX['Models']} == set(METHODS)
    for collection in METHODS.values():
        assert re.fullmatch(r'https://arxiv\.org/abs/\d{4}\.\d{5}', collection['Paper']['URL'])
        assert len(collection['Paper']['Title'].split()) > 4


def test_results_are_those_of_the_small_public_set():
    for model in INDEX['Models']:
        for result in model.get('Results', []):
            assert model['Name'].endswith('_nwucla_small')
            assert result['Dataset'] == model['Metadata']['Training Data'] == 'NW-UCLA-xview'
            assert set(result['Metrics']) <= {'KNN top1', 'Linear cached top1'}
    assert sum('Results' in model for model in INDEX['Models']) == 5


@pytest.mark.parametrize('method', METHODS)
def test_the_index_says_of_a_model_what_its_config_builds(method):
    for entry in INDEX['Models']:
        if entry['In Collection'] != method:
            continue
        config = Config.fromfile(ROOT / entry['Config'])
        init_default_scope(config.default_scope)
        with torch.device('meta'):
            model = MODELS.build(config.model)
        dataset = config.train_dataloader.dataset
        data = 'Kinect20-joined' if 'datasets' in dataset else f'{dataset.name}-{dataset.split}'
        parameters = [weights.numel() for name, weights in model.named_parameters() if '.query.' in name]
        found = {
            'Parameters': sum(parameters),
            'Training Data': data.replace('_train', '').replace('_', '-').lower(),
            'Epochs': config.train_cfg.max_epochs,
            'Batch Size': config.train_dataloader.batch_size,
        }
        said = entry['Metadata']
        assert found == {**said, 'Training Data': said['Training Data'].lower()}, entry['Name']
        encoder = {'BiGRU': 'BiGRU', 'GCNTransformer': 'GCN-Transformer', 'SlimSTGCN': 'ST-GCN'}
        assert METHODS[method]['Metadata']['Architecture'] == encoder[config.model.backbone.type]


def test_every_method_that_is_registered_is_in_the_index():
    used = {Config.fromfile(ROOT / model['Config']).model.type for model in INDEX['Models']}
    others = {
        'SelfSupervised',
        'MomentumContrast',
        'SkeletonClassifier',
    }  # what methods are made from, and what evaluates them
    assert used == set(recognizers.__all__) - others
