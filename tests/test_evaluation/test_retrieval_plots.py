"""Stick figures: what is drawn of bodies, and how a query and its neighbours are laid out."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from i2md_mmaction.evaluation import retrieval_plots
from i2md_mmaction.evaluation.retrieval_plots import (
    RetrievedClip,
    check_picture,
    draw_retrieval,
    plot_retrieval,
)
from i2md_mmaction.evaluation.skeleton_plots import draw_views, plot_views
from i2md_mmaction.evaluation.stick_figures import SIDES, fit, front_view, project, seen_frames, side_of
from i2md_mmaction.skeletons import get_layout

LAYOUTS = ('ntu25', 'kinect20', 'openni15', 'coco17', 'openpose18')


def body(layout, persons=1, frames=12, channels=3, seed=0):
    """Persons who stand upright, z or in an image y upwards, side by side along x."""
    table, rng = get_layout(layout), np.random.default_rng(seed)
    heights = rng.normal(size=(persons, 1, table.num_joints, channels)) * 0.05
    for person in range(persons):
        for joint in range(table.num_joints):
            side = 1 if joint in {left for left, _ in table.pairs} else -1
            heights[person, 0, joint, 0] += 2.0 * person + 0.2 * side
        for group, height in zip(table.spine, (1.0, 1.5)):
            heights[person, 0, list(group), channels - 1] += height
    return (heights + rng.normal(size=(persons, frames, 1, 1)) * 0.001).astype(np.float32)


def clip(name, layout='ntu25', label=0, similarity=None, **options):
    class_name = '' if label == -1 else f'action {label}'
    return RetrievedClip(name, body(layout, **options), label, class_name, similarity)


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda part: hasattr(part, 'get_text'))]


def frames(figure):
    """(line style, line width) of what stands around each clip."""
    boxes = [next(part for part in axes.patches if isinstance(part, FancyBboxPatch)) for axes in figure.axes]
    return [(box.get_linestyle(), box.get_linewidth(), box.get_edgecolor()[3] > 0) for box in boxes]


def bones(axes):
    """The bones of each person; what separates figures lies beneath them."""
    return [part for part in axes.collections if part.get_zorder() > 2]


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('channels', [2, 3])
def test_a_body_stands_upright_with_its_left_side_to_the_right(layout, channels):
    keypoint, table = body(layout, channels=channels), get_layout(layout)
    flat = project(keypoint, table)[0].mean(axis=0)
    (bottom, top), (left, right) = (
        [flat[list(group)].mean(axis=0) for group in line] for line in (table.spine, table.shoulders)
    )
    assert top[1] > bottom[1] and left[0] > right[0]
    upside_down = keypoint.copy()
    upside_down[..., channels - 1] *= -1  # as pixels count downwards
    flat = project(upside_down, table)[0].mean(axis=0)
    assert flat[list(table.spine[1])].mean(axis=0)[1] > flat[list(table.spine[0])].mean(axis=0)[1]


def test_a_view_keeps_lengths_and_turns_a_body_wherever_it_looks():
    keypoint, table = body('ntu25'), get_layout('ntu25')
    for angle in (0.3, 2.0, 4.0):
        cos, sin = np.cos(angle), np.sin(angle)
        turned = keypoint @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], dtype=np.float32)
        view = front_view(turned, table)
        assert np.allclose(view.T @ view, np.eye(2), atol=1e-6)
        assert np.allclose(project(turned, table), project(keypoint, table), atol=1e-5)


def test_two_persons_stand_side_by_side_the_first_to_the_left():
    keypoint = body('openni15', persons=2)[..., [1, 0, 2]]  # one behind the other
    first, second = project(keypoint, get_layout('openni15')).mean(axis=(1, 2))
    assert second[0] - first[0] == pytest.approx(2, abs=0.1)


def test_absent_persons_frames_and_joints_are_not_drawn():
    keypoint, table = body('ntu25', persons=2), get_layout('ntu25')
    keypoint -= keypoint[:1, :, 1:2]  # the origin, which is there though it is zero
    keypoint[1] = 0
    keypoint[0, :3] = 0
    keypoint[0, :, 7] = 0
    flat = project(keypoint, table)
    absent = np.zeros(flat.shape[:3], dtype=bool)
    absent[1] = absent[0, :3] = absent[0, :, 7] = True
    assert np.array_equal(np.isnan(flat).all(axis=-1), absent)
    assert seen_frames(flat, 4).tolist() == [3, 6, 8, 11]


def test_figures_of_a_row_are_as_many_as_fit_on_one_scale():
    wide = np.array([[-2.0, -1.0], [2.0, 1.0]]).reshape(1, 1, 2, 2)
    room = fit([wide, wide / 2], width=8.0, height=1.0)
    assert room.count == 4 and room.width == 2.0
    assert 4 * room.scale <= room.width and 2 * room.scale <= room.height <= 1.0


@pytest.mark.parametrize('layout', LAYOUTS)
def test_the_query_stands_above_its_neighbours_and_right_ones_are_framed(layout):
    names = ('asked', 'right', 'wrong')
    query, *neighbors = (
        clip(name, layout, label, similarity, channels=2 if layout == 'coco17' else 3, seed=label)
        for name, label, similarity in zip(names, (1, 1, 2), (None, 0.9876, 0.5))
    )
    figure = draw_retrieval(query, neighbors, layout, 'A title')
    heights = [axes.get_position().y0 for axes in figure.axes]
    assert len(heights) == 3 and heights == sorted(heights, reverse=True) and min(heights) > 0
    said = texts(figure)
    for text in ('A title', 'left side', 'right side', '✓ action 1', 'right\n1. cosine 0.988', '✗ action 2'):
        assert text in said
    (_, _, asked), (right, thick, _), (wrong, thin, _) = frames(figure)
    assert not asked and right == '-' and wrong != '-' and thick > thin
    [shown] = bones(figure.axes[1])
    sides = [side_of(child, get_layout(layout)) for child, _ in get_layout(layout).edges]
    expected = [to_rgba(SIDES[side]) for side in sides]
    assert [tuple(color) for color in shown.get_colors()[: len(sides)]] == expected
    assert len(shown.get_segments()) % len(sides) == 0


def test_clips_without_labels_have_no_mark_and_no_frame_of_right_or_wrong():
    query, neighbor = clip('asked', label=-1), clip('found', label=3, similarity=0.5, seed=1)
    figure = draw_retrieval(query, [neighbor], 'ntu25')
    assert not any(mark in text for text in texts(figure) for mark in '✓✗')
    assert frames(figure)[1][:2] == ('solid', 0.8)
    assert {'asked', 'action 3'} <= set(texts(figure))


def test_persons_are_named_where_there_are_several():
    one, two = clip('one', seed=1), clip('two', persons=2, similarity=0.1)
    assert 'person 2' not in texts(draw_retrieval(one, [one], 'ntu25'))
    figure = draw_retrieval(one, [two], 'ntu25')
    assert {'person 1', 'person 2'} <= set(texts(figure))
    first, second = bones(figure.axes[1])
    assert len(first.get_path_effects()) == 1 and len(second.get_path_effects()) == 2  # solid, and hollow


def test_colours_of_the_sides_are_apart_in_grey():
    grey = [np.dot([0.299, 0.587, 0.114], [int(SIDES[s][i : i + 2], 16) for i in (1, 3, 5)]) for s in SIDES]
    assert np.diff(sorted(grey)).min() > 35


def test_pictures_are_written_at_rest_and_moving(tmp_path, monkeypatch):
    monkeypatch.setattr(retrieval_plots, '_FRAMES', 3)
    query, neighbor = clip('asked'), clip('found', similarity=0.5, seed=1)
    for suffix in ('.png', '.svg'):
        assert plot_retrieval(query, [neighbor], 'ntu25', tmp_path / f'a{suffix}').stat().st_size > 1000
    still = dict(query=query, neighbors=[neighbor], layout='ntu25')
    moving = RetrievedClip('moves', query.keypoint + np.linspace(0, 1, 12)[:, None, None], 0, 'action 0', 0.1)
    for name, neighbors in (('still', [neighbor]), ('moving', [moving])):
        plot_retrieval(**{**still, 'neighbors': neighbors}, path=tmp_path / f'{name}.gif')
    with Image.open(tmp_path / 'moving.gif') as film:
        pictures = []
        for number in range(film.n_frames):
            film.seek(number)
            pictures.append(np.asarray(film.convert('L'), dtype=int))
        assert len(pictures) == 3 and film.width == 900
        assert (pictures[0] != pictures[2]).any()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.png', 'a.svg', 'moving.gif', 'still.gif']


def test_a_film_is_written_by_ffmpeg(tmp_path, monkeypatch):
    if not retrieval_plots.FFMpegWriter.isAvailable():
        pytest.skip('ffmpeg is not installed')
    monkeypatch.setattr(retrieval_plots, '_FRAMES', 3)
    path = plot_retrieval(clip('a'), [clip('b', similarity=0.5)], 'ntu25', tmp_path / 'film.mp4')
    assert path.read_bytes()[4:8] == b'ftyp'


def test_a_picture_that_cannot_be_drawn_is_refused_at_once(monkeypatch):
    with pytest.raises(ValueError, match='a.bmp: draw to .png'):
        check_picture('a.bmp')
    monkeypatch.setattr(retrieval_plots.FFMpegWriter, 'isAvailable', classmethod(lambda cls: False))
    with pytest.raises(ValueError, match='films need the program ffmpeg, which is not installed'):
        check_picture('a.mp4')


def test_views_are_rows_with_their_notes_and_no_empty_panel(tmp_path):
    sample = body('ntu25', persons=2, frames=30)
    sample[1, 10:] = 0
    views = dict(sample=sample, view=sample[:, 5:20])
    notes = dict(view='Shear by up to 0.50')
    figure = draw_views(views, 'ntu25', 'A sample', notes)
    assert len(figure.axes) == 2
    first, second = ([text.get_text() for text in axes.texts] for axes in figure.axes)
    assert first[0] == 'sample' and second[:2] == ['view', notes['view']]
    assert first[1] == 'frame 0' and first[-1] == 'frame 29' and second[-1] == 'frame 14'
    assert {'left side', 'right side', 'person 1', 'person 2'} <= set(texts(figure))
    for axes in figure.axes:
        segments = np.array(bones(axes)[0].get_segments())
        numbered = sum(text.get_text().startswith('frame') for text in axes.texts)
        assert np.isfinite(segments).all() and len(segments) == 24 * numbered
    path = plot_views(views, 'ntu25', tmp_path / 'views.png', 'A sample', notes)
    assert path.read_bytes().startswith(b'\x89PNG')
