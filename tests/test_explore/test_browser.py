"""The page in a real browser: it opens without an error, a click plays the right clip, the filter filters."""

import itertools

import numpy as np
import pytest

from tests.test_explore.browser import Browser, find_browser
from tests.test_explore.conftest import NASTY
from tests.test_explore.test_content import unpack

pytestmark = pytest.mark.skipif(find_browser() is None, reason='no browser; apt-get install chromium')
#: The text of each line of a list.
LINES = '[...document.querySelectorAll("#{} [role=option]")].map((line) => line.textContent)'
PLAYER = 'document.getElementById("player")'
PICTURE = f'{PLAYER}.toDataURL()'


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    started = Browser(tmp_path_factory.mktemp('profile'))
    yield started
    started.close()


@pytest.fixture
def show(browser, make_page):
    """Opens a page that stands still, at a size and a fragment of its address; returns its content."""

    def show(fragment='', size=(1280, 800), **options):
        content, path = make_page(**options)
        browser.resize(*size)
        browser.open(path, fragment)
        browser.ask('play(false)')
        return content

    yield show
    assert browser.errors == [], 'the console is clean, whatever was done'
    assert all(address.startswith(('file:', 'data:')) for address in browser.requests)


def text(browser, name):
    return browser.ask(f'document.getElementById({name!r}).textContent')


def place(browser, number):
    """Where a clip's marker is on the screen."""
    return browser.ask(
        '((box, [x, y]) => [box.x + x, box.y + y])'
        f'(document.getElementById("scatter").getBoundingClientRect(), scatter.place(clips[{number}]))'
    )


def shown_clips(browser):
    """Names in the list of clips."""
    return browser.ask(
        '[...document.querySelectorAll("#clips [role=option]")].map((line) => clips[line.dataset.clip].name)'
    )


def names(content, **wanted):
    return [clip['name'] for clip in content['clips'] if all(clip[key] == wanted[key] for key in wanted)]


def test_it_opens_without_an_error_and_without_a_request(browser, show):
    content = show()
    assert browser.errors == [] and len(browser.requests) == 1
    right = sum(clip['correct'] == 1 for clip in content['clips'])
    assert text(browser, 'summary') == (
        f'24 clips · 3 classes · the nearest other clip has the same label for {100 * right / 24:.1f} %'
    )
    rows = browser.ask('[...document.querySelectorAll("#classes li")].map((row) => row.textContent)')
    for label, name in enumerate(content['classes']):
        verdicts = [clip['correct'] for clip in content['clips'] if clip['label'] == label]
        assert rows[label] == f'{name}only{len(verdicts)}{int(100 * np.mean(verdicts) + 0.5)} %'
    assert browser.ask('document.querySelector("h1").innerHTML') == 'a &lt;b&gt;title&lt;/b&gt;'
    assert text(browser, 'about') == 'Clipsof <i>a test</i>'
    assert shown_clips(browser) == names(content)


def test_it_says_that_clips_were_drawn(browser, show):
    show(drawn_of=40091)
    assert text(browser, 'summary').startswith('24 of 40,091 clips · ')


def test_a_click_on_the_map_plays_that_clip_beside_its_neighbours(browser, show):
    content = show()
    for number in (8, 15):
        browser.click(place(browser, number))
        clip = content['clips'][number]
        label = content['classes'][clip['label']]
        assert text(browser, 'name') == clip['name']
        verdict = ['wrong', 'right'][clip['correct']]
        split = content['splits'][clip['split']]
        assert text(browser, 'facts') == f'{label} · {split} · {clip["frames"]} frames · 1-NN {verdict}'
        expected = []
        for neighbor, cosine in zip(clip['neighbors'], clip['cosines']):
            other = content['clips'][neighbor]
            mark = '✓' if other['label'] == clip['label'] else '✗'
            expected.append(f'{other["name"]}{content["classes"][other["label"]]}{cosine:.3f}{mark}')
        assert browser.ask(LINES.format('neighbors')) == expected
        still = browser.ask(PICTURE)
        browser.ask('play(true)')
        browser.wait_for(f'{PICTURE} !== {still!r} && state.phase > 0.2')
        browser.ask('play(false)')
    browser.click(browser.middle('document.querySelector("#neighbors [role=option]:nth-child(2)")'))
    assert text(browser, 'name') == content['clips'][clip['neighbors'][1]]['name']


def test_the_skeleton_that_is_drawn_has_the_joints_of_the_clip(browser, show):
    content = show()
    axes = np.array(content['layout']['axes'])
    for number in (0, 1):  # one person, two persons
        clip = content['clips'][number]
        drawn = np.array(browser.ask(f'[...decode(clips[{number}]).values]'))
        expected = unpack(clip) @ axes.T  # across, up, towards the viewer
        assert np.allclose(drawn.reshape(expected.shape), expected, atol=1e-5)
        frames = clip['shape'][1]
        between = browser.ask(f'pose(clips[{number}], 0, 3, {2.5 / (frames - 1)})')
        assert np.allclose(between, expected[0, 2:4, 3].mean(axis=0), atol=1e-5)
    values = drawn.reshape(-1, 3).tolist()
    corners = browser.ask(f'{values}.map(projector(clips[1], 300, 200, {{yaw: 40, tilt: 20}}))')
    x, y, _ = np.array(corners).T
    assert min(x.min(), y.min(), 300 - x.max(), 200 - y.max()) > 0, 'all of it is on the canvas'


def test_the_pointer_over_a_clip_shows_it_at_once(browser, show):
    content = show()
    browser.move(*place(browser, 9))
    tip = 'document.getElementById("tip")'
    browser.wait_for(f'!{tip}.hidden')
    clip = content['clips'][9]
    assert browser.ask(f'{tip}.querySelector("b").textContent') == clip['name']
    assert browser.ask('tip.clip === clips[9]') and browser.ask(f'getComputedStyle({tip}).display') == 'block'
    browser.move(5, 5)
    browser.wait_for(f'{tip}.hidden')


def test_classes_and_search_filter_map_and_lists(browser, show):
    content = show()
    browser.click(browser.middle('document.querySelector("#classes input[value=\'1\']")'))
    assert set(shown_clips(browser)) == {*names(content, label=0), *names(content, label=2)}
    before = text(browser, 'name')
    browser.click(place(browser, 7))  # of class 1, and hidden
    assert text(browser, 'name') == before
    browser.ask('document.querySelector("#classes li:nth-child(3) .only").click()')
    assert shown_clips(browser) == names(content, label=2)
    browser.ask('document.getElementById("query").focus()')
    browser.call('Input.insertText', text='CLIP_1')
    wanted = [name for name in names(content, label=2) if 'clip_1' in name]
    assert shown_clips(browser) == wanted and 0 < len(wanted) < len(names(content, label=2))
    assert text(browser, 'clips-count') == str(len(wanted))
    browser.call('Input.insertText', text='zzz')
    assert shown_clips(browser) == [] and not browser.ask('document.getElementById("clips-empty").hidden')
    browser.click(browser.middle('document.querySelector("#clips-empty .reset")'))
    assert shown_clips(browser) == names(content)


def test_the_address_keeps_clip_filter_search_and_colour(browser, show):
    content = show()
    browser.click(place(browser, 1))
    browser.ask('document.querySelector("#classes li:nth-child(2) .only").click()')
    browser.ask('document.querySelector("#colours [value=correct]").click()')
    address = browser.ask('location.hash')
    content = show(address)
    assert text(browser, 'name') == NASTY[1] and shown_clips(browser) == names(content, label=1)
    assert browser.ask('document.querySelector("#colours :checked").value') == 'correct'
    assert text(browser, 'legend') == 'rightwrong'
    show('#clip=clip_7&search=clip_1')
    assert text(browser, 'name') == 'clip_7' and all('clip_1' in name for name in shown_clips(browser))
    show('#clip=nobody')
    assert text(browser, 'missing') == 'No clip of this page is called nobody.'
    assert browser.ask('document.getElementById("clip").hidden')


def test_likely_label_errors_are_listed_and_open(browser, show):
    labels = [0] * 24
    labels[5] = 1
    content = show(labels=labels)
    assert content['suspects'] == [5]
    browser.click(browser.middle('document.getElementById("tab-suspects")'))
    [line] = browser.ask(LINES.format('suspects'))
    assert line.startswith(f'{content["clips"][5]["name"]}stand & up → sit <down>')
    browser.click(browser.middle('document.querySelector("#suspects [role=option]")'))
    assert text(browser, 'name') == content['clips'][5]['name']
    assert browser.ask('document.querySelectorAll("#neighbors .wrong[role=option]").length') == 4


def test_the_keys_go_everywhere(browser, show):
    content = show()
    reached = []
    for _ in range(40):
        browser.press('Tab')
        reached.append(browser.ask('document.activeElement.id || document.activeElement.name'))
    for part in ('query', 'tab-classes', 'colour', 'scatter', 'player', 'play', 'time', 'speed', 'neighbors'):
        assert part in reached, reached
    browser.ask('document.getElementById("scatter").focus(); select(7)')
    assert browser.ask('getComputedStyle(document.activeElement).outlineStyle') == 'solid'
    # Six in a row of the map, the second row above the first.
    for key, number in (('ArrowRight', 8), ('ArrowUp', 14), ('ArrowLeft', 13), ('ArrowDown', 7)):
        browser.press(key)
        assert text(browser, 'name') == content['clips'][number]['name'], key
        assert text(browser, 'said').startswith(content['clips'][number]['name'])
    browser.press(' ')
    assert browser.ask('state.playing && document.getElementById("play").ariaLabel') == 'Pause'
    browser.press(' ')
    assert browser.ask('!state.playing && document.getElementById("play").ariaLabel') == 'Play'
    browser.press('Enter')
    assert browser.ask('document.activeElement.id') == 'player'
    before = browser.ask(PICTURE)
    browser.press('ArrowRight')
    assert browser.ask(PICTURE) != before
    browser.ask('document.getElementById("neighbors").focus()')
    browser.press('ArrowDown')
    browser.press('Enter')
    assert text(browser, 'name') == content['clips'][content['clips'][7]['neighbors'][1]]['name']
    browser.press('/')
    assert browser.ask('document.activeElement.id') == 'query'


def test_a_drag_turns_the_skeleton_and_the_time_is_set(browser, show):
    show()
    before = browser.ask(PICTURE)
    x, y = browser.middle(PLAYER)
    browser.drag((x, y), (x + 20, y), (x + 60, y + 10))
    turned = browser.ask(PICTURE)
    assert turned != before
    browser.click(browser.middle('document.getElementById("front")'))
    assert browser.ask(PICTURE) == before
    browser.click(browser.middle('document.getElementById("time")'))
    frames = int(browser.ask('clips[state.chosen].frames'))
    shown, _, total = text(browser, 'frame').partition(' / ')
    assert int(total) == frames and abs(int(shown) - frames / 2) <= 2 and browser.ask(PICTURE) != before


def test_the_map_is_enlarged_and_moved(browser, show):
    show()
    start = place(browser, 0)
    browser.click(browser.middle('document.getElementById("zoom-in")'))
    near = place(browser, 0)
    x, y = browser.middle('document.getElementById("scatter")')
    assert np.allclose(np.subtract(near, (x, y)), 1.4 * np.subtract(start, (x, y)), atol=1)
    browser.drag((x, y), (x + 10, y), (x + 50, y - 20))
    assert np.allclose(np.subtract(place(browser, 0), near), (50, -20), atol=1)
    browser.click(browser.middle('document.getElementById("zoom-reset")'))
    assert np.allclose(place(browser, 0), start)


def test_clips_without_labels_are_looked_at(browser, show):
    show(labels=[-1] * 24)
    assert browser.ask('!document.getElementById("classes-empty").hidden')
    assert browser.ask('[...document.querySelectorAll("#colours input")].map((one) => one.value)') == [
        'split'
    ]
    assert text(browser, 'facts').startswith('no label · train · ') and '1-NN' not in text(browser, 'facts')
    browser.click(browser.middle('document.getElementById("tab-suspects")'))
    assert text(browser, 'suspects-empty') == 'Label errors are found where clips have labels.'
    browser.click(place(browser, 15))
    assert text(browser, 'name') == 'clip_12'
    assert browser.ask('document.querySelectorAll("#neighbors .mark").length') == 0


def test_joints_of_images_are_not_turned(browser, show):
    show(layout='coco17', coordinates=2)
    assert browser.ask('document.getElementById("front").hidden')
    before = browser.ask(PICTURE)
    x, y = browser.middle(PLAYER)
    browser.drag((x, y), (x + 60, y + 10))
    assert browser.ask(PICTURE) == before
    browser.ask('state.phase = 0.5; drawPlayers()')
    assert browser.ask(PICTURE) != before


def test_no_two_of_seventy_classes_share_shape_and_colour_and_neighbours_differ_in_both(browser, show):
    show()
    markers = browser.ask('Array.from({length: 70}, (_, number) => markerOfClass(number))')
    assert len({(one['shape'], one['colour']) for one in markers}) == 70
    for one, other in itertools.pairwise(markers):
        assert one['shape'] != other['shape'] and one['colour'] != other['colour']
    verdicts = browser.ask('VERDICTS')
    assert (
        len({one['shape'] for one in verdicts.values()})
        == len({one['mark'] for one in verdicts.values()})
        == 3
    )


@pytest.mark.parametrize('size', [(1280, 800), (390, 844)])
def test_it_fits_the_window(browser, show, size):
    show(size=size)
    assert browser.ask('document.documentElement.scrollWidth') <= size[0]
    for part in ('scatter', 'player', 'query'):
        box = f'document.getElementById({part!r}).getBoundingClientRect()'
        assert browser.ask(f'{box}.width > 200 && {box}.height > 20')
