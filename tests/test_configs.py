"""Every shipped config builds and trains, and the papers' numbers stand in them."""

import copy
import pickle
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope

from i2md_mmaction.datasets.demo import make_demo_dataset

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(path for folder in ('configs', 'projects') for path in (ROOT / folder).rglob('*.py'))
CONFIGS = [path for path in CONFIGS if '_base_' not in path.parts and '_base_ = ' in path.read_text()]
NARROW = dict(
    BiGRU=dict(hidden_channels=8),
    GCNTransformer=dict(gcn_channels=4, embed_dims=16, depth=1, num_heads=2, feedforward_channels=16),
    SlimSTGCN=dict(base_channels=4, embed_dims=16),
)


def pretraining_configs():
    for path in CONFIGS:
        config = Config.fromfile(path)
        if 'bank' in config.get('model', {}):
            yield pytest.param(config, id=str(path.relative_to(ROOT))[:-3])


def different_models():
    """The first config of each model; those of other splits have the same one."""
    seen = set()
    for case in pretraining_configs():
        model = case.values[0].model.to_dict()
        if repr(model) not in seen:
            seen.add(repr(model))
            yield case


@pytest.fixture(scope='module')
def demo_files(tmp_path_factory):
    """A few demo sequences, as NTU-25 and, with its first joints, as smaller layouts."""
    content = make_demo_dataset(num_classes=4, samples_per_class=4, seed=0)
    names = [annotation['frame_dir'] for annotation in content['annotations']]
    folder = tmp_path_factory.mktemp('demo')
    files = {}
    for layout, joints, persons in (('ntu25', 25, 2), ('kinect20', 20, 1), ('nite15', 15, 2)):
        annotations = copy.deepcopy(content['annotations'])
        for annotation in annotations:
            annotation['keypoint'] = annotation['keypoint'][:persons, :, :joints]
        files[layout] = folder / f'{layout}.pkl'
        files[layout].write_bytes(pickle.dumps(dict(split=dict(all=names), annotations=annotations)))
    return files


@pytest.mark.parametrize('config', different_models())
def test_every_model_builds_and_takes_two_steps(config, demo_files):
    config = copy.deepcopy(config)
    init_default_scope(config.default_scope)
    model = config.model
    model.backbone.update(NARROW[model.backbone.type])
    model.bank.size = 40
    if 'distillation' in model:
        model.distillation.topk = 8
    if 'num_neighbors' in model:
        model.num_neighbors = 4
    dataset = config.train_dataloader.dataset
    dataset.update(ann_file=str(demo_files[dataset.get('layout', 'ntu25')]), split='all')
    batch = pseudo_collate([DATASETS.build(dataset)[index] for index in range(6)])
    recognizer = MODELS.build(model)
    recognizer.init_weights()
    before = copy.deepcopy(dict(recognizer.named_parameters()))
    optimizer = OptimWrapper(torch.optim.SGD(recognizer.parameters(), **{'lr': 0.01}))
    for _ in range(2):
        logged = recognizer.train_step(copy.deepcopy(batch), optimizer)
        recognizer.update_encoders()
        recognizer.enqueue_keys()
    assert all(torch.isfinite(value).all() for value in logged.values())
    assert int(recognizer.bank.filled) == 12
    for name, parameter in recognizer.named_parameters():
        # A bias before a BatchNorm, or of a key, has no gradient beyond rounding.
        if '.query.' in name and parameter.dim() > 1:
            assert not torch.equal(parameter, before[name]), f'{name} did not move'
    scores = recognizer.test_step(copy.deepcopy(batch))
    assert set(scores[0].embedding) == set(model.streams)


@pytest.mark.parametrize('config', pretraining_configs())
def test_every_config_names_layout_split_and_persons_alike_everywhere(config):
    train, val, test = (config[f'{part}_dataloader'].dataset for part in ('train', 'val', 'test'))
    assert config.val_cfg.bank.split == config.test_cfg.bank.split == train.split
    assert val.split == test.split == train.split.replace('train', 'val')
    assert train.ann_file == val.ann_file == test.ann_file
    assert train.pipeline == val.pipeline == test.pipeline
    assert config.test_cfg.mode == 'test' and config.val_cfg.get('mode', 'val') == 'val'
    views = config.model.data_preprocessor
    # Stated once for the data and once for the model; their parts take it from there.
    for name in ('layout', 'num_persons'):
        assert {dataset.get(name) for dataset in (train, val, test)} == {config.model.get(name)}
        parts = (views, config.model.backbone, *train.pipeline)
        assert not any(name in part for part in parts)


PAPER = {
    'i2md_ntu60': dict(batch=256, epochs=500, step=400, lr=0.01, decay=1e-4, bank=16384, topk=8192, cmd=0.5),
    'cmd_ntu60': dict(batch=64, epochs=450, step=350, lr=0.01, decay=1e-4, bank=16384, topk=8192, cmd=1.0),
    'i2md_pku2_xsub': dict(batch=256, epochs=1000, step=800, lr=0.01, bank=16384, topk=8192, cmd=0.5),
    'cmd_pku2_xsub': dict(batch=64, epochs=1000, step=800, lr=0.01, bank=16384, topk=8192, cmd=1.0),
    'aimclr_ntu60': dict(batch=128, epochs=300, step=250, lr=0.1, decay=1e-4, bank=32768),
    'skeletonclr_ntu60': dict(batch=128, epochs=300, step=250, lr=0.1, decay=1e-4, bank=32768),
}


@pytest.mark.parametrize('name', PAPER)
def test_the_numbers_are_those_of_the_papers(name):
    config = Config.fromfile(ROOT / 'configs' / f'{name}.py')
    model, optimizer = config.model, config.optim_wrapper.optimizer
    found = dict(
        batch=config.train_dataloader.batch_size,
        epochs=config.train_cfg.max_epochs,
        step=config.param_scheduler[0].milestones[0],
        lr=optimizer.lr,
        decay=optimizer.weight_decay,
        bank=model.bank.size,
        topk=model.get('distillation', {}).get('topk'),
        cmd=model.get('cmd_weight'),
    )
    assert {key: found[key] for key in PAPER[name]} == PAPER[name]
    assert model.momentum == 0.999 and model.contrast.temperature == 0.07
    assert optimizer.type == 'SGD' and optimizer.momentum == 0.9
