"""Every shipped config builds, every model trains, and the papers' numbers stand in them."""

import copy
import pickle
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, HOOKS, MODELS, OPTIM_WRAPPERS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope

from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.datasets.demo_images import film_dataset
from i2md_mmaction.protocols import downstream_config

ROOT = Path(__file__).parents[1]
DOWNSTREAM = ROOT / 'configs/downstream'
NARROW = dict(
    BiGRU=dict(hidden_channels=8),
    GCNTransformer=dict(gcn_channels=4, embed_dims=16, depth=1, num_heads=2, feedforward_channels=16),
    SlimSTGCN=dict(base_channels=4, embed_dims=16),
)
#: What a data set and a model state once, and what both take where they leave it out.
SKELETON = dict(layout='ntu25', num_persons=2, num_coordinates=3)


def load_configs():
    """Every config that can be run, by its name below the root.

    Those of a benchmark are parts; tests/test_study/test_small_benchmark.py composes and builds its runs.
    Those of projects/mix_and_match are mmaction2's; tests/test_mix_and_match.py trains them.
    """
    paths = sorted(path for folder in ('configs', 'projects') for path in (ROOT / folder).rglob('*.py'))
    paths = [path for path in paths if not {'_base_', 'small_benchmark', 'mix_and_match'} & {*path.parts}]
    paths = [path for path in paths if '_base_ = ' in path.read_text()]
    return {str(path.relative_to(ROOT))[:-3]: load_config(path) for path in paths}


def load_config(path):
    """A config, or that of a protocol for an encoder."""
    if path.parent != DOWNSTREAM:
        return Config.fromfile(path)
    return downstream_config(ROOT / 'configs/cmd_ntu60.py', path.stem, DOWNSTREAM)


CONFIGS = load_configs()
PRETRAINING = {name: config for name, config in CONFIGS.items() if 'streams' in config.model}


def narrowed(config):
    """The config of a model for tests: its method, streams, views and layout, at small sizes."""
    model = copy.deepcopy(config.model)
    model.backbone.update(NARROW[model.backbone.type])
    if 'bank' in model:
        model.bank.size = 40
    if 'distillation' in model:
        model.distillation.topk = 8
    if 'num_neighbors' in model:
        model.num_neighbors = 4
    return model


def different_models():
    """The first config of each model; those that differ in sizes, split or schedule have the same one."""
    first = {}
    for name, config in PRETRAINING.items():
        first.setdefault(repr(narrowed(config).to_dict()), name)
    return list(first.values())


def parts_of(dataset):
    """The data sets that a config joins, or the one that it has."""
    return dataset.get('datasets', [dataset])


def stated(part):
    """What of the skeleton a config says, however deep."""
    if isinstance(part, dict):
        return (part.keys() & SKELETON.keys()).union(*map(stated, part.values()))
    return set().union(*map(stated, part)) if isinstance(part, (list, tuple)) else set()


@pytest.fixture(scope='module')
def demo_files(tmp_path_factory):
    """A few demo sequences, as NTU-25, as filmed, and, with NTU's first joints, as smaller layouts."""
    content = make_demo_dataset(num_classes=4, samples_per_class=4, seed=0)
    names = [annotation['frame_dir'] for annotation in content['annotations']]
    folder = tmp_path_factory.mktemp('demo')
    files = {}
    for layout, joints, persons in (
        ('ntu25', 25, 2),
        ('kinect20', 20, 1),
        ('openni15', 15, 2),
        ('nite15', 15, 2),
    ):
        annotations = copy.deepcopy(content['annotations'])
        for annotation in annotations:
            annotation['keypoint'] = annotation['keypoint'][:persons, :, :joints]
        files[layout] = folder / f'{layout}.pkl'
        files[layout].write_bytes(pickle.dumps(dict(split=dict(all=names), annotations=annotations)))
    files['coco17'] = folder / 'coco17.pkl'
    files['coco17'].write_bytes(pickle.dumps({**film_dataset(content), 'split': dict(all=names)}))
    return files


@pytest.mark.parametrize('name', different_models())
def test_every_model_trains_two_steps(name, demo_files):
    config, model = CONFIGS[name], narrowed(CONFIGS[name])
    init_default_scope(config.default_scope)
    dataset = copy.deepcopy(parts_of(config.train_dataloader.dataset)[0])
    layout = dataset.get('layout', SKELETON['layout'])
    dataset.update(ann_file=str(demo_files[layout]), split='all')
    samples = DATASETS.build(dataset)
    batch = pseudo_collate([samples[index] for index in range(6)])
    recognizer = MODELS.build(model)
    recognizer.init_weights()
    before = copy.deepcopy(dict(recognizer.named_parameters()))
    optimizer = OptimWrapper(torch.optim.SGD(recognizer.parameters(), **{'lr': 0.01}))
    for _ in range(2):
        logged = recognizer.train_step(copy.deepcopy(batch), optimizer)
        if 'bank' in model:
            recognizer.update_encoders()
            recognizer.enqueue_keys()
    assert all(torch.isfinite(value).all() for value in logged.values())
    if 'bank' in model:
        assert int(recognizer.bank.filled) == 12
    for parameter_name, parameter in recognizer.named_parameters():
        # A bias before a BatchNorm, or of a key, has no gradient beyond rounding.
        if '.query.' in parameter_name and parameter.dim() > 1:
            assert not torch.equal(parameter, before[parameter_name]), f'{parameter_name} did not move'
    scores = recognizer.test_step(copy.deepcopy(batch))
    assert set(scores[0].embedding) == set(model.streams)


def test_the_models_that_train_are_all_methods_backbones_and_layouts_that_configs_have():
    def kind(name):
        model = CONFIGS[name].model
        layout = model.get('layout', SKELETON['layout'])
        return model.type, model.backbone.type, layout, tuple(model.streams)

    assert set(map(kind, different_models())) == set(map(kind, PRETRAINING))
    methods = {'SkeletonMoCo', 'CMD', 'I2MD', 'MCL', 'CrosSCLR', 'AimCLR', 'AimCMD', 'SkeletonSimSiam'}
    assert {CONFIGS[name].model.type for name in different_models()} == methods


@pytest.mark.parametrize('name', CONFIGS)
def test_every_config_builds_a_model_and_names_hooks_that_fit_it(name):
    config = CONFIGS[name]
    init_default_scope(config.default_scope)
    with torch.device('meta'):  # at full size, without its memory
        model = MODELS.build(copy.deepcopy(config.model))
    hooks = {part: hook for part, hook in config.default_hooks.items() if hook is not None}
    assert all(HOOKS.get(hook.type) is not None for hook in hooks.values())
    assert OPTIM_WRAPPERS.get(config.optim_wrapper.type) is not None
    assert ('memory' in hooks) == hasattr(model, 'update_encoders')
    for stage in hooks.get('stages', {}).get('stages', ()):
        assert all(hasattr(model, option) for option in stage.keys() - {'begin'})


@pytest.mark.parametrize('name', CONFIGS)
def test_every_config_names_files_splits_and_pipelines_alike_everywhere(name):
    config = CONFIGS[name]
    train, *others = parts_of(config.train_dataloader.dataset)
    val, test = (config[f'{part}_dataloader'].dataset for part in ('val', 'test'))
    assert all(other.pipeline == train.pipeline and other.name != train.name for other in others)
    assert val.split == test.split == train.split.replace('train', 'val') != train.split
    assert train.ann_file == val.ann_file == test.ann_file
    assert train.pipeline == val.pipeline == test.pipeline
    assert train.num_classes == val.num_classes == test.num_classes
    if name in PRETRAINING:
        assert config.val_cfg.bank.split == config.test_cfg.bank.split == train.split
        assert config.test_cfg.mode == 'test' and config.val_cfg.get('mode', 'val') == 'val'


@pytest.mark.parametrize('name', CONFIGS)
def test_every_config_states_the_skeleton_once_for_the_data_and_once_for_the_model(name):
    config = CONFIGS[name]
    datasets = [
        dataset
        for part in ('train', 'val', 'test')
        for dataset in parts_of(config[f'{part}_dataloader'].dataset)
    ]
    for option, default in SKELETON.items():
        said = {part.get(option, default) for part in (*datasets, config.model)}
        assert len(said) == 1, f'{option}: {said}'
    inner = [dataset.pipeline for dataset in datasets]
    inner += [value for value in config.model.values() if isinstance(value, (dict, list))]
    assert not stated(inner)


@pytest.mark.parametrize('folder', [r'C:\data\new', "o'brien", 'δ ata/with spaces', '{{braces}}', ''])
@pytest.mark.parametrize('name', ['i2md_ntu60', 'cmd_kinect20_joined_small', 'aimclr_sbu_small'])
def test_the_folder_of_the_data_may_have_any_name(name, folder, monkeypatch, tmp_path):
    monkeypatch.setenv('I2MD_DATA', folder)
    config = Config.fromfile(ROOT / f'configs/{name}.py')
    files = [part.ann_file for part in parts_of(config.train_dataloader.dataset)]
    files.append(config.test_dataloader.dataset.ann_file)
    assert all(file.rpartition('/')[0] == folder for file in files)
    # As the runner saves it with a run, and as a checkpoint of it is read.
    (tmp_path / 'dumped.py').write_text(config.pretty_text, encoding='utf-8')
    assert Config.fromfile(tmp_path / 'dumped.py').train_dataloader == config.train_dataloader


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
    config = CONFIGS[f'configs/{name}']
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
