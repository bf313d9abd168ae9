"""The page on extending: its drawing and order of imports hold, and its code trains as it is printed."""

import ast
import math
import pickle
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from i2md_mmaction import skeletons
from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.protocols import downstream_config
from tests.test_docs import EXTENDING, FENCE, ROOT

#: Packages and modules in the order in which they may import one another.
LAYERS = (
    ('skeletons', 'io', 'parts'),
    ('augmentations', 'datasets'),
    ('models',),
    ('evaluation',),
    ('engine', 'apis'),
    ('protocols', 'explore'),
    ('study',),
)


def code_blocks():
    """The Python blocks of the page, by the file that their first line names."""
    blocks = [code for kind, code in FENCE.findall(EXTENDING.read_text(encoding='utf-8')) if kind == 'python']
    return {re.match(r'# (\S+\.py)\n', code)[1]: code for code in blocks}


def test_imports_go_the_way_that_the_page_says():
    order = ' < '.join(', '.join(f'`{name}`' for name in layer) for layer in (*LAYERS, ('tools',)))
    assert order in ' '.join(EXTENDING.read_text(encoding='utf-8').split())
    level = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    package = ROOT / 'i2md_mmaction'
    for path in package.rglob('*.py'):
        own = path.relative_to(package).with_suffix('').parts
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if own[0] not in level or not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            imported = (*own[: len(own) - node.level], *(node.module or '').split('.'))[0]
            assert imported == own[0] or level[imported] < level[own[0]], f'{path} imports {imported}'


def test_the_drawing_names_every_file_and_folder_of_the_package():
    drawing = next(code for kind, code in FENCE.findall(EXTENDING.read_text()) if kind == 'text')
    drawn = re.findall(r'^  (\S+)', drawing, re.M)
    there = [
        f'{path.name}/' if path.is_dir() else path.name
        for path in (ROOT / 'i2md_mmaction').iterdir()
        if not path.name.startswith(('_', '.'))
    ]
    assert sorted(drawn) == sorted(there)


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """A folder with the configs, the demo data and every file that the page prints.

    What the files register goes again at the end.
    """
    folder = tmp_path_factory.mktemp('extending')
    shutil.copytree(ROOT / 'configs', folder / 'configs')
    for name, code in code_blocks().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code)
    (folder / 'data/demo').mkdir(parents=True)
    demo = make_demo_dataset(num_classes=3, samples_per_class=6, seed=0)
    (folder / 'data/demo/ntu25_demo.pkl').write_bytes(pickle.dumps(demo))
    models, layouts = dict(MODELS._module_dict), dict(skeletons._LAYOUTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr('mmengine.runner.runner.collect_env', dict)  # a second at the start of each run
        yield folder
    for kept, table in ((models, MODELS._module_dict), (layouts, skeletons._LAYOUTS)):
        for name in set(table) - set(kept):
            del table[name]
    for name in [name for name in sys.modules if name.startswith('projects.my_project')]:
        del sys.modules[name]


@pytest.fixture
def project(written, monkeypatch):
    """The folder, where a reader stands who follows the page."""
    monkeypatch.chdir(written)
    monkeypatch.delenv('I2MD_DATA', raising=False)
    return written


def train(config_file, **model):
    """Trains an epoch of a config, with a narrow encoder; returns the runner."""
    config = Config.fromfile(config_file)
    loader = dict(batch_size=4, num_workers=0, persistent_workers=False, pin_memory=False)
    name = Path(config_file).stem
    backends = [dict(type='LocalVisBackend')]
    config.merge_from_dict(
        dict(
            model={**model, 'bank': dict(size=16)},
            train_dataloader=loader,
            val_dataloader=loader,
            test_dataloader=loader,
            train_cfg=dict(max_epochs=1, val_interval=1),
            optim_wrapper=dict(type='OptimWrapper'),
            default_hooks=dict(checkpoint=dict(interval=1), logger=dict(interval=1)),
            work_dir=f'work_dirs/{name}',
            randomness=dict(seed=0),
            experiment_name=name,
            vis_backends=backends,
            visualizer=dict(vis_backends=backends, name=name),
        )
    )
    if 'distillation' in config.model:
        config.model.distillation.topk = 8
    runner = Runner.from_cfg(config)
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) > 1 and all(map(math.isfinite, losses))
    assert 0 <= runner.message_hub.get_scalar('val/knn/top1').current() <= 100
    assert int(runner.model.bank.filled) == min(16, len(runner.train_dataloader.dataset))
    return runner


NARROW = dict(backbone=dict(hidden_channels=4, num_layers=1))


@pytest.mark.parametrize('name', code_blocks())
def test_the_code_of_the_page_has_the_style_of_the_package(name):
    for command in (['check'], ['format', '--check']):
        run = subprocess.run(
            [sys.executable, '-m', 'ruff', *command, '--no-cache', '--stdin-filename', name, '-'],
            input=code_blocks()[name],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout


def test_the_method_trains_through_the_runner(project):
    runner = train('projects/my_project/mined_moco_demo.py', **NARROW)
    assert type(runner.model).__name__ == 'MinedMoCo'
    assert type(runner.model.contrast).__name__ == 'DecoupledContrast'
    names = [f'loss_{term}_{stream}' for term in ('nce', 'mined') for stream in ('joint', 'motion', 'bone')]
    assert all(f'train/{name}' in runner.message_hub.log_scalars for name in names)


@pytest.fixture
def mined_moco(project):
    """The method of the page, small; views of 6 samples; rows in its bank."""
    config = Config.fromfile('projects/my_project/mined_moco_demo.py').model
    config = {**config, 'data_preprocessor': None, 'streams': ('joint',), 'topk': 2, 'momentum': 0.9}
    config.update(bank=dict(type='MemoryBank', size=12), backbone=dict(type='BiGRU', hidden_channels=4))
    torch.manual_seed(0)
    model = MODELS.build(config).train()
    model.bank.enqueue(joint_key=torch.nn.functional.normalize(torch.randn(7, 128), dim=1))
    with torch.no_grad():
        for parameter in model.streams['joint'].key.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model, tuple(torch.randn(2, 6, 2, 8, 25, 3))


def test_the_terms_of_the_method_are_what_the_page_says(mined_moco):
    model, views = mined_moco
    losses = model(views, mode='loss')
    with torch.no_grad():
        stream = model.streams['joint']
        query, key = stream(views[0]).embedding.double(), stream.embed_key(views[1]).embedding.double()
    bank, tau = model.bank['joint_key'].double(), 0.07
    decoupled, mined = [], []
    for q, k in zip(query, key):
        positive, rows = float(q @ k) / tau, [float(q @ row) / tau for row in bank]
        decoupled.append(math.log(sum(map(math.exp, rows))) - positive)
        nearest = sorted(range(7), key=lambda row: -float(k @ bank[row]))[:2]  # of the rows that are filled
        total = math.log(sum(map(math.exp, [positive, *rows])))
        mined.append(sum(total - logit for logit in (positive, *(rows[row] for row in nearest))) / 3)
    assert losses['loss_nce_joint'].item() == pytest.approx(np.mean(decoupled), rel=1e-4)
    assert losses['loss_mined_joint'].item() == pytest.approx(np.mean(mined), rel=1e-4)


def test_steps_of_the_method_lower_its_loss_and_move_queries_by_gradient_only(mined_moco):
    model, views = mined_moco
    stream = model.streams['joint']
    parts = [list(encoder.parameters()) for encoder in (stream.query, stream.key)]
    before = [[parameter.detach().clone() for parameter in part] for part in parts]
    wrapper = OptimWrapper(torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0))
    history = [model.train_step(dict(inputs=views), wrapper)['loss'].item() for _ in range(4)]
    assert history[-1] < history[0] and all(map(math.isfinite, history))
    moved, kept = ([torch.equal(old, new) for old, new in zip(*pair)] for pair in zip(before, parts))
    assert not any(moved) and all(kept)
    model.update_encoders()
    model.enqueue_keys()
    assert not any(torch.equal(old, new) for old, new in zip(before[1], parts[1]))
    assert int(model.bank.filled) == 12


def test_the_encoder_gives_the_shapes_that_it_promises_and_serves_method_and_protocol(project):
    runner = train('projects/my_project/frame_mlp_demo.py')
    encoder = runner.model.streams['bone'].query
    view = torch.randn(5, 2, 12, 25, 3)
    assert encoder.tokens(view).shape == (5, 12, 64) and encoder(view).hidden.shape == (5, 64)
    torch.testing.assert_close(encoder.extract(view), encoder.tokens(view).mean(dim=1))
    torch.testing.assert_close(encoder.backbone(encoder.modality(view)), encoder.extract(view))
    other = MODELS.build(dict(type='FrameMLP', layout='coco17', num_persons=1, embed_dims=8))
    assert other(view[:, :1, :, :17]).shape == (5, 8)

    config = downstream_config('projects/my_project/frame_mlp_demo.py', 'linear', 'configs/downstream')
    config.model.update(modality='bone')
    config.model.pretrained.checkpoint = 'work_dirs/frame_mlp_demo/epoch_1.pth'
    classifier = MODELS.build(config.model).eval()
    classifier.init_weights()
    torch.testing.assert_close(classifier(view), encoder.extract(view))


def test_the_data_set_is_written_and_trained_on(project):
    runpy.run_path('projects/my_project/make_mine.py')
    model = Config.fromfile('configs/cmd_mine.py').model
    assert (model.bank.size, model.distillation.topk, model.layout) == (512, 256, 'coco17')
    runner = train('configs/cmd_mine.py', **NARROW)
    assert len(runner.train_dataloader.dataset) == 16 and len(runner.val_dataloader.dataset) == 8
    assert runner.model.streams['joint'].query.backbone.input_norm.num_features == 17 * 3


def test_the_layout_is_registered_once_and_trained_on(project):
    content = make_demo_dataset(num_classes=3, samples_per_class=4, seed=0)
    for annotation in content['annotations']:
        annotation['keypoint'] = annotation['keypoint'][:1, :, (0, 20, 3, 4, 5, 6, 8, 9, 10)]
    content['split'] = dict(train=content['split']['xsub_train'], val=content['split']['xsub_val'])
    Path('data/upper9.pkl').write_bytes(pickle.dumps(content))
    runner = train('projects/my_project/cmd_upper9.py', **NARROW)
    assert runner.model.streams['bone'].query.modality.parents.tolist() == [1, 1, 1, 1, 3, 4, 1, 6, 7]
    layout = skeletons.get_layout('upper9')
    assert skeletons.register_layout(layout) is layout
    with pytest.raises(ValueError, match='already registered'):
        skeletons.register_layout(skeletons.SkeletonLayout(**{**vars(layout), 'center': 0}))
    graph = MODELS.build(dict(type='SlimSTGCN', layout='upper9', base_channels=4, embed_dims=8))
    assert graph(torch.randn(2, 1, 8, 9, 3)).shape == (2, 1, 8, 2, 9)


def test_a_config_in_the_folder_of_protocols_is_a_protocol(project):
    init_default_scope('mmaction')
    config = downstream_config('configs/cmd_demo.py', 'linear_short', 'configs/downstream')
    assert config.train_cfg.max_epochs == 20 and config.model.freeze
    assert config.param_scheduler[0].milestones == [12, 17]
    assert config.model.backbone.hidden_channels == 128


def test_a_config_may_name_its_base_instead_of_its_path(project):
    path = project / 'projects/my_project/mined_moco_demo.py'
    named = path.with_name('by_name.py')
    named.write_text(path.read_text().replace('../../configs/moco_demo.py', 'i2md_mmaction::moco_demo.py'))
    assert Config.fromfile(named).model == Config.fromfile(path).model
