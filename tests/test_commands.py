"""The commands that the pages print: each of them parses, and runs here or is listed with what it needs."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.config import Config, DictAction

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md')),
    *sorted(ROOT.glob('docs/*.md')),
    *sorted(ROOT.glob('projects/**/README.md')),
]
#: What stands for the variables of a loop that a page prints.
VARIABLES = {'${method}': 'moco', '$method': 'moco', '${run%/*}': 'moco', '$run': 'moco/epoch_100'}
SHELL = re.compile(r'(for .*; do|done|export \w+=\S+|[A-Z_]+=\S+)(\s+#.*)?')
#: Commands that are not run below, by a pattern, with what they need or where else they run.
ELSEWHERE = {
    r'(source|bash) tools/\w+\.sh|ruff .*': 'continuous integration, and whoever sets up',
    r'bash tools/gpu_check.sh \w+': 'a GPU',
    r'pip (wheel|install) .*': 'tests/test_packaging.py builds and installs',
    r'mim train i2md_mmaction i2md_ntu60.py.*': 'NTU RGB+D; tests/test_packaging.py trains a small one',
    r'.*projects/my_project/.*': 'tests/test_extending.py trains it',
    r'python tools/data/convert.py ntu\d+ .*': 'NTU RGB+D',
    r'python tools/data/convert.py pku\d .*': 'PKU-MMD',
    r'python tools/data/convert.py nwucla .*': 'Northwestern-UCLA',
    r'python tools/data/convert.py arrays .*': 'arrays; tests/test_datasets/test_readers_arrays.py converts',
    r'python tools/data/convert.py pack .*': 'NTU RGB+D; tests/test_datasets/test_convert.py packs',
    r'python tools/convert_checkpoint.py .*': 'a checkpoint; tests/test_released_cmd.py converts both ways',
    r'python tools/evaluate.py --compare .*': 'reports; tests/test_runs/test_evaluate.py compares',
    r'python tools/evaluate.py .*nwucla.*': 'Northwestern-UCLA',
    r'python tools/evaluate.py .*': 'NTU RGB+D; tests/test_runs/test_evaluate.py evaluates',
    r'python tools/(embed|classify).py work_dirs/.*': 'runs; tests/test_runs/test_inference_tools.py embeds',
    r'python tools/(embed|explore).py projects/.*': 'data; tests/test_study/test_checkpoint.py embeds',
    r'python tools/retrieve.py work_dirs/.*': 'a run; tests/test_runs/test_retrieval.py retrieves',
    r'python tools/explore.py (work_dirs|data)/.*': 'NTU RGB+D; tests/test_explore/test_tool.py makes pages',
    r'python tools/export.py work_dirs/.*': 'a run; tests/test_runs/test_inference_tools.py exports',
    r'python tools/mmaction_tool.py .*': 'a run; tests/test_runs/test_mmaction_tools.py runs it',
    r'mim run mmaction2 (print_config|get_flops|report_acc).*': 'a run; test_runs/test_mmaction_tools.py',
    r'mim train mmaction2 projects/mix_and_match/.*': 'NTU RGB+D; tests/test_mix_and_match.py trains',
    r'python projects/mix_and_match/plain_torch.py .*': 'minutes; tests/test_mix_and_match.py runs it small',
    r'(PYTHONPATH=. )?python tools/study.py \w+ .*': 'hours; tests/test_study/test_study_tool.py',
    r'python projects/\w+/(inner_split|neighbors).py .*': 'data; tests/test_study/test_small_benchmark.py',
    r'python tools/plot_run.py .*': 'a run; tests/test_evaluation/test_history.py draws',
    r'python tools/compare_runs.py .*': 'runs; tests/test_runs/test_tools.py compares',
    r'python tools/browse_views.py .*': 'NTU RGB+D; tests/test_runs/test_tools.py draws',
    r'python tools/benchmark/benchmark.py .*': 'minutes; tests/test_runs/test_tools.py runs it small',
    r'(PYTHONPATH=. )?mim (train|test) mmaction2 \S*ntu\S* .*': 'NTU RGB+D',
    r'mim (train|test) mmaction2 work_dirs/\S*(ntu|pku)\S* .*': 'NTU RGB+D and PKU-MMD',
    r'mim (train|test) mmaction2 \S*nwucla\S* .*': 'Northwestern-UCLA',
}


def commands(page):
    """The commands of a page's blocks of shell code, each on one line, without comments."""
    for block in re.findall(r'^```bash\n(.*?)^```$', page.read_text(encoding='utf-8'), re.M | re.S):
        block = re.sub(r"<<'END'\n.*?^END$", "<<'END'", block, flags=re.M | re.S).replace('\\\n', '')
        for line in map(str.strip, block.splitlines()):
            line = re.sub(r'\s+', ' ', re.sub(r'\s+#.*', '', line))
            for name, value in VARIABLES.items():
                line = line.replace(name, value)
            if line and not SHELL.fullmatch(line):
                yield line


COMMANDS = sorted({command for page in PAGES for command in commands(page)})
#: Commands that run below.
RUN = (
    'mim search i2md_mmaction --model cmd ',
    'mim run i2md_mmaction evaluate -- --help',
    'python tools/make_demo_data.py',
    'python tools/downstream_config.py ',
    'mim train mmaction2 configs/cmd_demo_2d.py',
    'python tools/embed.py demo_out/',
    'python tools/retrieve.py demo_out/',
    'python tools/explore.py demo_out/',
    'python tools/export.py demo_out/',
    'PYTHONPATH=. mim train mmaction2 projects/simsiam/',
    'python projects/custom_skeleton/',
    'mim train mmaction2 projects/custom_skeleton/',
    'python tools/evaluate.py work_dirs/cmd_nite15/',
    "python - <<'END'",
)


def runs_here(command):
    return command.startswith(RUN)


def test_every_command_runs_in_a_test_or_is_listed_with_what_it_needs():
    assert len(COMMANDS) > 30
    for command in COMMANDS:
        listed = [pattern for pattern in ELSEWHERE if re.fullmatch(pattern, command)]
        assert listed or runs_here(command), f'{command} is neither run nor listed'
    for pattern in (*ELSEWHERE, *map(re.escape, RUN)):
        assert any(re.match(pattern, command) for command in COMMANDS), f'no page prints {pattern}'


@pytest.mark.parametrize('command', [command for command in COMMANDS if 'python tools/' in command])
def test_a_tool_takes_the_arguments_that_a_page_gives(command):
    _, script, *arguments = shlex.split(command.removeprefix('PYTHONPATH=. '))
    assert (ROOT / script).is_file()
    if script == 'tools/data/convert.py':
        arguments = [argument.rstrip('/') for argument in arguments]
    module = importlib.import_module(script[: -len('.py')].replace('/', '.'))
    module.parse_args(arguments)


@pytest.mark.parametrize(
    'command', [command for command in COMMANDS if re.match('.*mim (train|test) mmaction2 ', command)]
)
def test_a_config_is_there_and_has_the_options_that_a_page_sets(command):
    words = shlex.split(command)
    name = words[words.index('mmaction2') + 1]
    if name.startswith(('work_dirs/', 'projects/my_project/')):
        return  # made by a command before it, or by the page itself
    config = Config.fromfile(ROOT / name)
    options = words[words.index('--cfg-options') + 1 :] if '--cfg-options' in words else []
    for key, value in (option.split('=', 1) for option in options):
        part = config
        if key.startswith('default_hooks.') and key.endswith('.type'):
            assert HOOKS.get(value)  # a hook that the command adds
            continue
        for step in key.split('.'):
            part = part[int(step)] if step.isdigit() else part[step]
        assert DictAction._parse_iterable(value) is not None


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A folder that looks like a checkout, in which a reader types; nothing is written to the real one."""
    folder = tmp_path_factory.mktemp('checkout')
    for name in ('configs', 'tools', 'projects'):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns('__pycache__'))
    return folder


@pytest.fixture
def type_in(checkout):
    """Runs a command of a page as it stands; a training for one epoch with a narrow encoder."""
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    kept = {name: value for name, value in os.environ.items() if name not in ('I2MD_DATA', 'PYTHONPATH')}
    environment = dict(kept, PATH=path, PYTHONWARNINGS='ignore', PYTHONPATH='.')

    def run(command, block=''):
        if ' mim train ' in f' {command} ':
            command += ' --cfg-options train_cfg.max_epochs=1 train_cfg.val_interval=1'
            command += ' default_hooks.checkpoint.interval=1 model.backbone.hidden_channels=8'
        line = f'set -e\n{command}{block}'
        done = subprocess.run(
            ['bash', '-c', line], cwd=checkout, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f'{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}'
        return done.stdout + done.stderr

    return run


PYTHON = re.compile(r'^```python\n(.*?)^```$', re.M | re.S)
CUSTOM = 'projects/custom_skeleton/cmd_nite15.py'


def printed(start):
    """The commands of the pages that begin so."""
    return [command for command in COMMANDS if command.startswith(start)]


def test_mim_searches_and_runs_as_the_readme_says(type_in):
    [search] = printed('mim search')
    assert 'cmd_nwucla_small' in type_in(search)
    [evaluate] = printed('mim run i2md_mmaction')
    assert '--protocols' in type_in(evaluate)


def test_the_config_of_a_protocol_is_written_for_the_commands_that_follow(type_in, checkout):
    lines = printed('python tools/downstream_config.py')
    assert len(lines) >= 2
    for line in lines:
        [made] = re.findall(r'made (\S+)', type_in(line))
        assert f'mim train mmaction2 {made} --gpus 1' in COMMANDS
        config = Config.fromfile(checkout / made)
        assert config.model.pretrained.checkpoint in line and config.model.type == 'SkeletonClassifier'


def test_simsiam_trains_on_the_demo_data_as_its_page_says(type_in, checkout):
    demo = 'python tools/make_demo_data.py'
    assert demo in COMMANDS
    type_in(demo + ' --num-classes 4 --samples-per-class 6')
    [train] = printed('PYTHONPATH=. mim train mmaction2 projects/simsiam/')
    assert 'knn/top1' in type_in(train)
    assert list(checkout.glob('work_dirs/*simsiam*/epoch_1.pth'))


def test_an_encoder_is_used_and_exported_as_the_readme_says(type_in, checkout):
    pytest.importorskip('onnxruntime', reason='pip install "i2md_mmaction[export]"')
    type_in('python tools/make_demo_data.py --num-classes 4 --samples-per-class 6')
    type_in('mim train mmaction2 configs/cmd_demo.py --work-dir demo_out --gpus 0')
    (checkout / 'demo_out/epoch_1.pth').rename(checkout / 'demo_out/epoch_30.pth')
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    [block] = [code for code in PYTHON.findall(readme) if 'SkeletonEncoder' in code]
    *code, shown = block.strip().splitlines()
    # The same words, of another encoder.
    assert len([line for line in code if line]) == 5 and shown.startswith('# ')
    pattern = re.sub(r'\d+', r'\\d+', re.escape(shown[len('# ') :]))
    assert re.search(pattern, type_in("python - <<'END'", f'\n{block}END'))
    embed, retrieve, explore, export = (
        type_in(command)
        for tool in ('embed', 'retrieve', 'explore', 'export')
        for command in printed(f'python tools/{tool}.py demo_out/')
    )
    for output, made in ((embed, 'demo.npz'), (retrieve, 'retrieval.png'), (explore, 'explore.html')):
        assert f'made {made}' in output and (checkout / made).is_file()
    assert 'differs from the model by' in export
    assert (checkout / 'demo_out/epoch_30_joint.onnx').is_file()


def test_joints_of_images_are_trained_on_as_the_page_says(type_in):
    [demo] = printed('python tools/make_demo_data.py --layout coco17')
    type_in(demo + ' --num-classes 4 --samples-per-class 24')
    [train] = printed('mim train mmaction2 configs/cmd_demo_2d.py')
    assert 'knn/top1' in type_in(train)


def test_the_page_on_custom_skeletons_leads_to_its_end(type_in, checkout):
    page = ROOT / 'projects/custom_skeleton/README.md'
    for command in commands(page):
        block = ''
        if command.endswith("<<'END'"):
            [code] = re.findall(r"(<<'END'\n.*?^END$)", page.read_text(encoding='utf-8'), re.M | re.S)
            # The page trains for 20 epochs, the test for one with a narrow encoder.
            block = code[len("<<'END'") :].replace('epoch_20.pth', 'epoch_1.pth')
            narrow = 'config.model.backbone.hidden_channels = 8\nmodel = load_model('
            block = block.replace('model = load_model(', narrow)
        if command.startswith('python tools/evaluate.py'):
            # One epoch of every classifier.
            command = (
                command.replace('epoch_20.pth', 'epoch_1.pth') + ' --epochs 1 --runs 1 --streams joint bone'
            )
            command = command.replace(CUSTOM, 'work_dirs/cmd_nite15/cmd_nite15.py')
        output = type_in(command, block)
        if command.startswith('python -'):
            assert re.search(r'bone \(\d+, 16\)', output)
    report = (checkout / 'work_dirs/cmd_nite15_report/report.md').read_text()
    assert all(f'| {protocol} |' in report for protocol in ('knn', 'linear', 'semi_20'))
    assert 'Failed' not in report


def test_custom_skeletons_without_labels_are_trained_on_and_watched_as_the_pages_say(type_in, checkout):
    type_in('python projects/custom_skeleton/make_examples.py raw --num-classes 3 --samples-per-class 6')
    (checkout / 'all').mkdir()
    for file in (checkout / 'raw').glob('*/*.csv'):
        file.rename(checkout / 'all' / file.name)
    [convert] = printed('python projects/custom_skeleton/convert.py')
    output = type_in(convert.replace('data/custom/raw', 'all').replace('data/custom/nite15.pkl', 'all.pkl'))
    assert '18 sequences, 1 classes' in output and 'labels: 0 all' in output
    _, _, section = (ROOT / 'docs/data.md').read_text(encoding='utf-8').partition('\n## Without labels\n')
    lines = (checkout / CUSTOM).read_text() + PYTHON.search(section.partition('\n## ')[0])[1]
    config = Path(CUSTOM).with_name('unlabelled.py')
    (checkout / config).write_text(lines.replace('data/custom/nite15.pkl', 'all.pkl'))
    [train] = printed(f'mim train mmaction2 {CUSTOM}')
    output = type_in(
        train.replace(CUSTOM, str(config)).replace('work_dirs/cmd_nite15', 'work_dirs/unlabelled')
    )
    for quality in ('alignment', 'uniformity', 'std', 'rank'):
        for stream in ('', '_joint', '_motion', '_bone'):
            assert re.search(rf'embedding/{quality}{stream}: -?\d', output)
    assert 'knn/top1: ' not in output
    assert (checkout / 'work_dirs/unlabelled/best_embedding_rank_epoch_1.pth').is_file()


def test_a_ready_pickle_of_two_persons_is_trained_on_by_the_config_that_the_page_prints(type_in, checkout):
    demo = 'python tools/make_demo_data.py'
    assert demo in COMMANDS
    output = type_in(f'{demo} --num-classes 3 --samples-per-class 6 --out data/mine.pkl')
    assert '6 sequences of 2' in output
    page = (ROOT / CUSTOM).with_name('README.md').read_text(encoding='utf-8')
    config = Path(CUSTOM).with_name('mine.py')
    (checkout / config).write_text(PYTHON.search(page)[1])
    [train] = printed(f'mim train mmaction2 {CUSTOM}')
    output = type_in(train.replace(CUSTOM, str(config)).replace('work_dirs/cmd_nite15', 'work_dirs/mine'))
    assert re.search(r'Epoch\(train\) +\[1\]\[1/1\].* loss_nce: \d', output)
    assert re.search(r'knn/top1_bone: \d', output)
    weights = torch.load(checkout / 'work_dirs/mine/epoch_1.pth', weights_only=True)['state_dict']
    [norm] = [
        value for name, value in weights.items() if name.endswith('joint.query.backbone.input_norm.weight')
    ]
    assert norm.shape == (2 * 25 * 3,)  # persons, joints, coordinates
