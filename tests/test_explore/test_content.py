"""What a page holds, against computations of its own; how large it is; and that no name breaks it."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from i2md_mmaction.evaluation import nearest_others
from i2md_mmaction.explore import make_content, render_page
from i2md_mmaction.explore.content import MAX_FRAMES, pack_joints
from i2md_mmaction.skeletons import find_layout, get_layout
from tests.test_explore.conftest import NASTY, walks


def unpack(packed):
    """Joints (M, F, V, C) as the page reads them."""
    integers = np.frombuffer(base64.b64decode(packed['joints']), '<i2').reshape(packed['shape'])
    return integers.astype(np.float64) * packed['step']


def slow_neighbors(features, k):
    """The k other rows of the largest cosine, row by row in float64: indices and cosines."""
    features = features.astype(np.float64)
    index, cosine = [], []
    for row, feature in enumerate(features):
        norms = np.linalg.norm(features, axis=1) * np.linalg.norm(feature)
        similarity = features @ feature / norms
        order = [other for other in np.argsort(-similarity) if other != row][:k]
        index.append(order)
        cosine.append(similarity[order])
    return np.array(index), np.array(cosine)


class Elements(HTMLParser):
    """The elements of a page by name, and the content of its scripts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.scripts, self.sources = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.sources += [value for name, value in attributes if name in ('src', 'href')]
        if tag == 'script':
            self.scripts.append('')

    def handle_data(self, data):
        if self.lasttag == 'script' and self.scripts:
            self.scripts[-1] += data


def test_neighbours_are_those_of_a_slow_search_in_chunks_too():
    features = torch.from_numpy(np.random.default_rng(1).normal(size=(40, 5)).astype(np.float32))
    index, cosine = slow_neighbors(features.numpy(), k=6)
    for chunk in (7, 40, 1024):
        found_cosine, found_index = nearest_others(features, k=6, chunk=chunk)
        assert np.array_equal(found_index, index)
        assert np.allclose(found_cosine, cosine, atol=1e-6)
    with pytest.raises(ValueError, match='k=40 neighbours of a bank of 39 samples'):
        nearest_others(features, k=40)


def test_a_clip_holds_its_neighbours_their_similarity_and_whether_the_nearest_has_its_label(make_clips):
    clips = make_clips(labels=[0, 1, 2, -1] * 6)
    index, cosine = slow_neighbors(clips.features, k=4)
    content = make_content(clips, np.zeros((24, 2)), k=4)
    verdicts = set()
    for row, clip in enumerate(content['clips']):
        assert clip['neighbors'] == index[row].tolist()
        assert np.allclose(clip['cosines'], cosine[row], atol=1e-4)
        own, nearest = clips.labels[row], clips.labels[index[row, 0]]
        assert clip['correct'] == (-1 if -1 in (own, nearest) else int(own == nearest))
        assert (clip['name'], clip['label']) == (clips.names[row], own)
        assert content['splits'][clip['split']] == clips.splits[row]
        verdicts.add(clip['correct'])
    assert verdicts == {-1, 0, 1}
    assert content['classes'] == clips.class_names and content['k'] == 4


def test_likely_label_errors_are_clips_whose_neighbours_agree_on_another_label(make_clips):
    clips = make_clips(count=40, labels=[0] * 20 + [1] * 20, dims=3)
    clips.features[:20, 0] += 6
    clips.features[20:, 1] += 6
    clips.labels[[3, 25]], clips.labels[7] = [1, 0], -1
    index, cosine = slow_neighbors(clips.features, k=3)
    expected = {}
    for row, label in enumerate(clips.labels):
        theirs = {int(clips.labels[other]) for other in index[row]}
        if label >= 0 and len(theirs) == 1 and not theirs & {-1, int(label)}:
            expected[row] = cosine[row].mean()
    suspects = make_content(clips, np.zeros((40, 2)), k=3)['suspects']
    assert suspects == sorted(expected, key=expected.get, reverse=True)
    assert {3, 25} <= set(suspects) and 7 not in suspects


def test_clips_without_labels_have_no_verdict_and_no_label_error(make_clips):
    content = make_content(make_clips(labels=[-1] * 24), np.zeros((24, 2)), k=4)
    assert {clip['correct'] for clip in content['clips']} == {-1}
    assert content['suspects'] == content['classes'] == []


def test_labels_without_a_name_are_called_by_their_number(make_clips):
    content = make_content(make_clips(labels=[0, 4] * 12), np.zeros((24, 2)))
    assert content['classes'] == ['sit <down>', 'stand & up', 'wave', 'class 3', 'class 4']


@pytest.mark.parametrize('frames', [1, 2, MAX_FRAMES, MAX_FRAMES + 1, 173])
def test_frames_are_thinned_evenly_and_no_joint_moves_by_more_than_half_a_step(frames):
    joints = walks(np.random.default_rng(frames), 2, frames, 20, 3)
    joints[1, 0] = 0  # not seen in the first frame
    packed = pack_joints(joints)
    kept = unpack(packed)
    count = min(frames, MAX_FRAMES)
    places = [round(number * (frames - 1) / max(count - 1, 1)) for number in range(count)]
    persons = 1 if frames == 1 else 2
    assert packed['frames'] == frames and packed['shape'] == [persons, count, 20, 3]
    assert np.abs(kept - joints[:persons, places]).max() <= packed['step'] / 2 * (1 + 1e-6)
    assert packed['step'] == pytest.approx(np.abs(joints[:persons, places]).max() / 32767)
    assert not kept[1:, 0].any() and kept[0].any()
    assert {places[0], places[-1]} == {0, frames - 1}


def test_a_person_who_is_absent_throughout_is_left_out():
    joints = walks(np.random.default_rng(0), 2, 30, 20, 3)
    joints[1] = 0
    assert pack_joints(joints)['shape'][0] == 1
    assert pack_joints(0 * joints)['shape'][0] == 1 and not unpack(pack_joints(0 * joints)).any()


def test_bodies_are_seen_upright_and_from_the_front(make_clips):
    clips = make_clips(count=3)
    layout = clips.layout
    for joints in clips.joints:
        joints[...] = 0
        joints[..., 4, :], joints[..., 8, :] = [0, 0.2, 0], [0, -0.2, 0]  # left and right shoulder, along y
        joints[..., 1, :] = [-0.5, 0, 0]  # the spine points down the x axis
    described = make_content(clips, np.zeros((3, 2)), k=1)['layout']
    across, up, near = np.array(described['axes'])
    assert up.tolist() == [-1, 0, 0]
    assert across.tolist() == [0, 1, 0], 'the left shoulder is on the right'
    assert np.array_equal(np.cross(across, up), near), 'nothing is mirrored'
    assert described['edges'] == [list(edge) for edge in layout.edges]
    sides = dict(zip(layout.joints, described['sides']))
    assert sides == {name: name.split('_')[0] if '_' in name else '' for name in layout.joints} | {
        'hip_center': '',
        'shoulder_center': '',
    }
    assert described['heads'] == [layout.joints.index('head')]
    assert described['anchors'] == [layout.joints.index('spine'), layout.joints.index('shoulder_center')]


def test_a_picture_is_shown_as_it_was_filmed(make_clips):
    described = make_content(make_clips(layout='coco17', coordinates=2), np.zeros((24, 2)))['layout']
    assert np.abs(described['axes']).tolist() == [[1, 0], [0, 1]] and described['axes'][0] == [1, 0]


def test_two_thousand_clips_of_two_persons_are_less_than_25_mb(make_clips):
    clips = make_clips(count=2000, layout='ntu25', frames=100, persons=2)
    page = render_page(make_content(clips, np.random.default_rng(0).normal(size=(2000, 2))))
    assert 20e6 < len(page.encode()) < 25e6


def test_no_name_breaks_the_page_and_nothing_is_loaded_from_elsewhere(make_page):
    content, path = make_page()
    page = path.read_text(encoding='utf-8')
    elements = Elements(page)
    assert elements.tags.count('script') == 2 and 'b' not in elements.tags[elements.tags.index('script') :]
    data, program = elements.scripts
    assert json.loads(data) == json.loads(json.dumps(content))
    assert [clip['name'] for clip in json.loads(data)['clips'][:3]] == list(NASTY)
    assert '<title>a &lt;b&gt;title&lt;/b&gt;</title>' in page
    assert elements.sources == ['data:,'] and "default-src 'none'" in page
    assert 'innerHTML' not in program and not re.search(r'fetch\(|XMLHttp|import\s', program)
    assert '{{' not in page.replace(json.dumps(NASTY[1])[1:-1], '')


def test_a_layout_is_found_by_its_joints():
    assert [find_layout(count).name for count in (25, 17)] == ['ntu25', 'coco17']
    with pytest.raises(ValueError, match=r'19 joints are not those of one known layout: .*kinect20 \(20\)'):
        find_layout(19)
    assert get_layout('ntu25') is find_layout(25)
