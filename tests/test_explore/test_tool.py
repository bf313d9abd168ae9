"""The tool, from its command line to the page, and what it refuses."""

import copy
import json
import pickle

import numpy as np
import pytest
from mmengine.config import Config

from i2md_mmaction.apis import SkeletonEncoder
from i2md_mmaction.apis.clips import open_clips
from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.datasets.demo_images import film_dataset
from i2md_mmaction.evaluation.inference import bank_dataloader, embed_split, load_model
from i2md_mmaction.explore import embed_clips, joints_source
from tests.test_explore.test_content import slow_neighbors, unpack
from tests.test_runs.conftest import ROOT, random_checkpoint
from tools import explore


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    """A file of 32 demo clips, and a checkpoint of random weights for them."""
    folder = tmp_path_factory.mktemp('demo')
    content = make_demo_dataset(num_classes=4, samples_per_class=8, seed=0)
    (folder / 'demo.pkl').write_bytes(pickle.dumps(content))
    config = Config.fromfile(ROOT / 'configs/moco_demo.py')
    loader = dict(num_workers=0, persistent_workers=False)
    dataset = dict(ann_file=str(folder / 'demo.pkl'), num_classes=4)
    config.merge_from_dict(
        dict(
            model=dict(streams=('joint', 'bone'), backbone=dict(hidden_channels=6), bank=dict(size=20)),
            **{f'{part}_dataloader': dict(loader, dataset=dataset) for part in ('train', 'val', 'test')},
        )
    )
    return folder / 'demo.pkl', random_checkpoint(config, folder / 'ours.pth'), config, content


def run(*arguments):
    return explore.main(list(map(str, arguments)))


def read(page):
    """The content of a page."""
    _, _, rest = page.read_text(encoding='utf-8').partition('<script type="application/json" id="content">')
    return json.loads(rest.partition('</script>')[0])


def test_a_checkpoint_and_a_split_become_a_page(demo, tmp_path, capsys):
    data, checkpoint, _, raw = demo
    out = tmp_path / 'new' / 'page.html'
    assert run(checkpoint, data, '--split', 'xsub_val', '--out', out, '--device', 'cpu', '--k', 3) == 0
    content = read(out)
    expected = SkeletonEncoder(checkpoint, device='cpu').encode(data, split='xsub_val')
    assert [clip['name'] for clip in content['clips']] == expected.names
    assert [clip['label'] for clip in content['clips']] == expected.labels.tolist()
    index, cosine = slow_neighbors(expected.joined, k=3)
    assert [clip['neighbors'] for clip in content['clips']] == index.tolist()
    assert np.allclose([clip['cosines'] for clip in content['clips']], cosine, atol=1e-4)
    assert content['classes'] == raw['class_names'] and content['splits'] == ['xsub_val']
    assert len({tuple(clip['point']) for clip in content['clips']}) == len(expected.names)
    said = capsys.readouterr().out
    assert f'made {out}: {len(expected.names)} clips' in said and 'drawn' not in said
    assert ['Features', 'embeddings of ours.pth, all its streams side by side'] in content['about']
    assert run(checkpoint, data, '--split', 'xsub_val', '--out', tmp_path / 'again.html', '--k', 3) == 0
    assert (tmp_path / 'again.html').read_bytes() == out.read_bytes(), 'the same seed, the same page'


def test_joints_of_a_page_are_those_that_the_encoder_sees(demo, tmp_path):
    data, checkpoint, config, _ = demo
    assert run(checkpoint, data, '--split', 'xsub_train', 'xsub_val', '--out', tmp_path / 'page.html') == 0
    clips = {clip['name']: clip for clip in read(tmp_path / 'page.html')['clips']}
    dataset = SkeletonEncoder(checkpoint, device='cpu').load(data).dataset
    assert len(clips) == len(dataset)
    for number in range(len(dataset)):
        seen = dataset[number]['inputs'].numpy()
        clip = clips[dataset.names[number]]
        kept = unpack(clip)
        assert clip['frames'] == seen.shape[1]
        assert np.abs(kept[:, [0, -1]] - seen[: len(kept), [0, -1]]).max() <= clip['step'] / 2 * (1 + 1e-6)


def test_raw_joints_are_the_view_of_evaluation(demo):
    data, _, config, _ = demo
    file, usual = open_clips(data), copy.deepcopy(config)
    del usual.model.data_preprocessor.test_view
    loader = bank_dataloader(config.test_dataloader, dict(split=None, ann_file=str(data)))
    for prepared, source, frames in (
        (config, joints_source(file, config), 32),
        (usual, joints_source(file), 64),
    ):
        expected, labels = embed_split(load_model(prepared), loader, with_joints=True)
        clips = embed_clips(file, source)
        assert clips.features.shape == (32, 2 * frames * 25 * 3)
        assert np.allclose(clips.features, expected['raw'], atol=1e-5)
        assert clips.labels.tolist() == labels.tolist()


def test_more_clips_than_asked_for_are_drawn_by_a_seed_and_it_is_said(demo, tmp_path, capsys):
    names = []
    for seed in (0, 0, 1):
        out = tmp_path / 'page.html'
        assert run(demo[0], '--out', out, '--max-clips', 9, '--seed', seed) == 0
        assert f'9 of 32 clips are drawn with seed {seed}; --max-clips takes more' in capsys.readouterr().out
        content = read(out)
        assert ['Clips', f'9 of 32, drawn with seed {seed}, from demo.pkl'] in content['about']
        names.append([clip['name'] for clip in content['clips']])
    assert names[0] == names[1] != names[2] and len(names[0]) == 9


def test_joints_of_images_without_labels_become_a_page(demo, tmp_path):
    content = film_dataset(demo[3], 0)
    content['annotations'] = [
        {name: value for name, value in one.items() if name != 'label'} for one in content['annotations']
    ]
    (tmp_path / 'filmed.pkl').write_bytes(pickle.dumps(content))
    assert run(tmp_path / 'filmed.pkl', '--out', tmp_path / 'page.html') == 0
    made = read(tmp_path / 'page.html')
    assert {clip['label'] for clip in made['clips']} == {-1} and made['classes'] == made['suspects'] == []
    assert {clip['shape'][3] for clip in made['clips']} == {2} and len(made['layout']['axes']) == 2


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['DATA', '--out', 'page.txt'], 'page.txt: the page is written to a file that ends in .html'),
        (['ours.pth', '--out', 'page.html'], 'ours.pth is a checkpoint; name the data after it'),
        (['absent.pkl', '--out', 'page.html'], 'absent.pkl does not exist'),
        (['absent.pth', 'DATA', '--out', 'page.html'], 'absent.pth'),
        (['DATA', '--out', 'page.html', '--split', 'none'], "has no split 'none'"),
        (
            ['DATA', '--out', 'page.html', '--split', 'xsub_train', 'xview_train'],
            "splits 'xsub_train' and 'xview_train' share clips",
        ),
        (['DATA', '--out', 'page.html', '--split', 'xsub_val', 'xsub_val'], 'share clips'),
        (['DATA', '--out', 'page.html', '--k', '32'], 'k=32 neighbours of a bank of 31 samples'),
        (['DATA', '--out', 'page.html', '--max-clips', '2'], '2 clips are too few for a map'),
        (
            ['DATA', '--out', 'page.html', '--config', str(ROOT / 'configs/_base_/default_runtime.py')],
            'has no SkeletonViewPreprocessor, which prepares clips',
        ),
    ],
)
def test_what_cannot_be_explored_is_said_in_one_line(demo, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run(*(demo[0] if argument == 'DATA' else argument for argument in arguments)) == 2
    said = capsys.readouterr().err
    assert message in said and said.startswith('error: ') and said.count('\n') == 1
    assert not list(tmp_path.iterdir())


def test_clips_of_an_unknown_layout_are_named(tmp_path, capsys):
    odd = dict(frame_dir='odd', label=0, keypoint=np.ones((1, 9, 19, 3), np.float32))
    for keypoint, message in ((odd['keypoint'], '19 joints'), (np.ones((9, 25, 3)), 'shape (9, 25, 3)')):
        (tmp_path / 'odd.pkl').write_bytes(pickle.dumps([dict(odd, keypoint=keypoint)] * 4))
        assert run(tmp_path / 'odd.pkl', '--out', tmp_path / 'page.html') == 2
        said = capsys.readouterr().err
        assert 'odd.pkl' in said and message in said and said.count('\n') == 1
    assert [path.name for path in tmp_path.iterdir()] == ['odd.pkl']


def test_three_paths_are_refused(capsys):
    with pytest.raises(SystemExit):
        run('a', 'b', 'c', '--out', 'page.html')
    assert 'a checkpoint and one data file are taken, got 3 paths' in capsys.readouterr().err
