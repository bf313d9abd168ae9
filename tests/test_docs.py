"""The pages: links that lead somewhere, sentences that stand once, and code that runs as it is printed."""

import argparse
import ast
import math
import pickle
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config, DictAction
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from i2md_mmaction import skeletons
from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.protocols import downstream_config

ROOT = Path(__file__).parents[1]
METHODS, EXTENDING = ROOT / 'docs/methods.md', ROOT / 'docs/extending.md'
PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')),
    *sorted(ROOT.glob('docs/*.md')),
    *sorted(ROOT.glob('projects/*/README.md')),
]
FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.M | re.S)
#: Packages and modules in the order in which they may import one another.
LAYERS = (
    ('skeletons', 'io', 'parts'),
    ('augmentations', 'datasets'),
    ('models',),
    ('evaluation',),
    ('engine',),
    ('protocols',),
)


# What is wrong with a page.


def without_code(text):
    """A page without its code blocks, with as many lines."""
    text = FENCE.sub(lambda block: '\n' * block[0].count('\n'), text)
    return re.sub(r'(?<=\n\n)(?: {4}.*\n)+', lambda block: '\n' * block[0].count('\n'), text)


@cache
def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    found = []
    for heading in re.findall(r'^#+ (.+)$', without_code(page.read_text(encoding='utf-8')), re.M):
        slug = re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
        found.append(slug if slug not in found else f'{slug}-{found.count(slug)}')
    return found


@cache
def definitions(path):
    """The first line of each function, method and class of a file, by qualified name."""

    def walk(node, prefix):
        for child in node.body:
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                yield prefix + child.name, child.lineno
                yield from walk(child, f'{prefix}{child.name}.') if isinstance(child, ast.ClassDef) else ()

    return dict(walk(ast.parse(path.read_text(encoding='utf-8')), ''))


def links(text):
    """Text and target of every link of a page, those by reference included.

    Raises:
        AssertionError: If a reference is nowhere defined, or defined for nothing.
    """
    text = without_code(text)
    defined = dict(re.findall(r'^\[([^\]\n]+)\]: (\S+)$', text, re.M))
    body = re.sub(r'^\[[^\]\n]+\]: \S+$', '', text, flags=re.M)
    found = re.findall(r'\[([^\[\]]*)\]\(([^()\s]+)\)', body)
    used = re.findall(r'\[([^\[\]]*)\]\[([^\[\]]+)\]', body)
    used += [(name, name) for name in re.findall(r'\[(`[^\[\]`]+`)\](?![\[(])', body)]
    assert {name for _, name in used} == set(defined), 'references and their definitions do not match'
    return found + [(name, defined[reference]) for name, reference in used]


def broken_links(page):
    """Links of a page that lead nowhere, each with what is wrong."""
    broken = []
    for text, target in links(page.read_text(encoding='utf-8')):
        file, _, anchor = target.partition('#')
        if re.match(r'\w+:', target):
            continue
        path = (page.parent / file).resolve() if file else page
        line = re.fullmatch(r'L(\d+)', anchor)
        if not path.exists():
            broken.append(f'{target}: no such file')
        elif line:
            wanted = definitions(path).get(text.strip('`'))
            if wanted != int(line[1]):
                broken.append(f'{target}: {text} is on line {wanted}')
        elif anchor and anchor not in anchors(path):
            broken.append(f'{target}: no such heading; there are {anchors(path)}')
    return broken


def renumber(page):
    """Puts the lines on which things stand now into the definitions of a page's links."""

    def line(link):
        return f'{link[1]}{definitions((page.parent / link[3]).resolve())[link[2]]}'

    text = page.read_text(encoding='utf-8')
    page.write_text(re.sub(r'^(\[`(.+)`\]: (\S+)#L)\d+$', line, text, flags=re.M), encoding='utf-8')


def long_lines(page):
    """Numbers of lines over 120 characters, but for a definition that is one long address."""
    return [
        number
        for number, line in enumerate(page.read_text(encoding='utf-8').splitlines(), 1)
        if len(line) > 120 and not re.fullmatch(r'\[[^\]]+\]: https://\S+', line)
    ]


def sentences(page):
    """The sentences of more than 8 words in a page's prose, in plain lower case."""
    text = without_code(page.read_text(encoding='utf-8'))
    text = re.sub(r'^(?:#|\||\[[^\]]+\]: ).*$', '', text, flags=re.M)
    text = re.sub(r'\]\([^)]*\)|\]\[[^\]]*\]', '', text)  # what a link leads to
    for paragraph in re.split(r'\n\s*\n|\n\s*(?:[-*]|\d+\.) ', text):
        for sentence in re.split(r'(?<=[.!?:])\s+', ' '.join(paragraph.split())):
            words = re.findall(r'\w+', sentence.lower())
            if len(words) > 8:
                yield ' '.join(words)


def doubled_sentences(pages):
    """Sentences that stand in two places, with the pages."""
    places = {}
    for page in pages:
        for sentence in sentences(page):
            places.setdefault(sentence, []).append(page.name)
    return {sentence: names for sentence, names in places.items() if len(names) > 1}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert not broken_links(page), 'python tests/test_docs.py puts the lines of code right'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_line_is_too_long(page):
    assert not long_lines(page)


def test_no_sentence_stands_in_two_places():
    assert not doubled_sentences(PAGES)


def test_the_readme_is_short():
    assert len(PAGES[0].read_text(encoding='utf-8').splitlines()) <= 150


def test_the_checks_find_what_is_wrong(tmp_path):
    (tmp_path / 'code.py').write_text('import os\n\n\n@decorated\nclass A:\n    def run(self): ...\n')
    page, other = tmp_path / 'page.md', tmp_path / 'other.md'
    page.write_text(
        '# A title, of sorts\n\nGood: [`A`](code.py#L5), [`A.run`], [file](code.py), [up](#a-title-of-sorts),'
        '\n[away](https://example.org/#L3).\n\n```bash\n[code](is/no/link)\n# no heading\n```\n\n'
        'Bad: [`A`](code.py#L4), [`run`](code.py#L6), [gone](gone.py), [down](#no-heading)\n\n'
        '[`A.run`]: code.py#L6\n'
    )
    assert [problem.split(':')[0] for problem in broken_links(page)] == [
        'code.py#L4',
        'code.py#L6',
        'gone.py',
        '#no-heading',
    ]
    (tmp_path / 'code.py').write_text('class A:\n    def run(self): ...\n')
    definitions.cache_clear()
    renumber(page)
    assert page.read_text().endswith('\n[`A.run`]: code.py#L2\n')
    for text in ('[`B`]', '[`B`]: code.py', '[B][b]'):
        with pytest.raises(AssertionError, match='do not match'):
            links(text)
    other.write_text(f'{"x" * 120}\n{"x" * 121}\n[a]: https://{"x" * 120}\n')
    assert long_lines(other) == [2]

    twice = 'This one sentence of nine whole words stands twice.'
    page.write_text(f'- {twice} Short ones may.\n\n| {twice} |\n\n```\n{twice}\n```\n')
    other.write_text('This one [sentence](of.md) of nine\nwhole words stands twice. Short ones may.\n')
    assert list(doubled_sentences([page, other]).values()) == [['page.md', 'other.md']]
    assert not doubled_sentences([page])


# What the page on methods says.


def test_each_method_has_a_section_under_the_anchor_that_others_link_to():
    methods = ['i2md', 'cmd', 'moco-v2', 'mcl', 'crossclr', 'skeletonclr', 'aimclr']
    assert anchors(METHODS)[1:] == [*methods, 'ablations-as-configuration']


ABLATIONS = METHODS.read_text(encoding='utf-8').partition('## Ablations')[2]


@pytest.mark.parametrize('options', sorted(set(re.findall(r'`(model\.[^`\n]+)`', ABLATIONS))))
def test_every_ablation_is_taken_by_the_model(options):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    overrides = parser.parse_args(['--cfg-options', *shlex.split(options)]).cfg_options
    config = Config.fromfile(ROOT / 'configs/i2md_ntu60.py')
    for option in overrides:
        part = config
        for name in option.split('.'):
            assert name in part or option == 'model.edges', f'{option} is no option of the config'
            part = part.get(name)
    config.merge_from_dict(overrides)
    config.model.backbone.update(gcn_channels=4, embed_dims=16, depth=1, num_heads=2, feedforward_channels=16)
    model = MODELS.build(config.model)
    for option, value in overrides.items():
        part = model
        for name in option.split('.')[1:]:
            part = getattr(part, name)
        assert list(part) == list(value) if isinstance(value, (list, tuple)) else part == value


# What the page on extending says.


def code_blocks():
    """The Python blocks of the page, by the file that their first line names."""
    blocks = [code for kind, code in FENCE.findall(EXTENDING.read_text(encoding='utf-8')) if kind == 'python']
    return {re.match(r'# (\S+\.py)\n', code)[1]: code for code in blocks}


def test_imports_go_the_way_that_the_page_says():
    order = ' < '.join(', '.join(f'`{name}`' for name in layer) for layer in (*LAYERS, ('tools',)))
    assert order in EXTENDING.read_text(encoding='utf-8')
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


if __name__ == '__main__':
    for page in (METHODS, EXTENDING):
        renumber(page)
