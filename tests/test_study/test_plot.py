"""The picture of a study shows its figures, each in its place and no label upon another."""

from itertools import combinations

import matplotlib.colors
import numpy as np
import pytest
from matplotlib.text import Text

from i2md_mmaction.study import plot
from i2md_mmaction.study.figures import study_figures
from i2md_mmaction.study.plot import plot_study
from i2md_mmaction.study.results import Result, pack

METHODS = dict(raw='raw joints', moco='MoCo v2', cmd='CMD', mcl='MCL', supervised='supervised')
LAYOUT = dict(
    encoders=dict(
        gru=dict(title='BiGRU, all three streams', baseline='moco', methods=METHODS),
        gcn=dict(title='ST-GCN', baseline='skeletonclr', methods=dict(skeletonclr='SkeletonCLR', cmd='CMD')),
        late=dict(title='Late', baseline='moco', methods=dict(supervised='supervised', moco='MoCo v2')),
    ),
    data=dict(sbu='SBU', utd='UTD-MHAD'),
)
#: Samples rightly classified, of 50; those of ST-GCN are 5 fewer.
RIGHT = dict(raw=20, moco=30, skeletonclr=30, mcl=31, cmd=40, supervised=45)


@pytest.fixture
def figures():
    """Three seeds that differ by one sample.

    On UTD-MHAD there is no CMD of the BiGRU; of 'late' there is its ceiling alone.
    """
    results = [
        Result(
            encoder,
            method,
            data,
            seed,
            samples=50,
            right=dict(knn=dict(all=pack(np.arange(50) < RIGHT[method] - 5 * (encoder == 'gcn') + seed - 1))),
        )
        for encoder, settings in LAYOUT['encoders'].items()
        for method in settings['methods']
        for data in LAYOUT['data']
        for seed in range(3)
        if (encoder, method, data) != ('gru', 'cmd', 'utd') and (encoder, method) != ('late', 'moco')
    ]
    return study_figures(results, LAYOUT, draws=200)


@pytest.fixture
def draw(figures, tmp_path, monkeypatch):
    """Draws the figure of a layout, which is written as well."""
    drawn = []
    save = plot.save_figure
    monkeypatch.setattr(
        plot, 'save_figure', lambda figure, *args, **kw: drawn.append(figure) or save(figure, *args, **kw)
    )

    def draw(layout, figures=figures):
        path = plot_study(figures, layout, tmp_path / 'study.png')
        assert path.read_bytes().startswith(b'\x89PNG')
        return drawn[-1]

    return draw


@pytest.fixture
def figure(draw):
    return draw(LAYOUT)


def dots(axes):
    """Accuracy and filling of each dot, by the label of its row."""
    names = [label.get_text() for label in axes.figure.axes[0].get_yticklabels()]
    found = {}
    for line in axes.lines:
        if line.get_marker() == 'o':
            ((x, y),) = line.get_xydata()
            found.setdefault(names[round(y)], []).append(
                (x, matplotlib.colors.to_hex(line.get_markerfacecolor()))
            )
    return found


def test_each_method_is_a_dot_that_says_whether_it_differs_from_its_baseline(figure):
    white, grey, black = '#ffffff', '#b2b2b2', '#000000'
    sbu, utd, mean = figure.axes[:3]
    assert [axes.get_title() for axes in (sbu, utd, mean)] == ['SBU', 'UTD-MHAD', 'mean of the data sets']
    assert dots(sbu) == {
        'MoCo v2': [(pytest.approx(60), white)],
        'MCL': [(pytest.approx(62), grey)],
        'CMD': [(pytest.approx(80), black), (pytest.approx(70), black)],
        'SkeletonCLR': [(pytest.approx(50), white)],
    }
    # Of the BiGRU, CMD has no result on UTD-MHAD, so that it has no mean, either.
    assert len(dots(utd)['CMD']) == len(dots(mean)['CMD']) == 1


def test_a_data_set_without_results_has_no_panel(draw):
    figure = draw(dict(LAYOUT, data=dict(pku='PKU-MMD', **LAYOUT['data'])))
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == ['SBU', 'UTD-MHAD', 'mean of the data sets']


def test_bars_are_the_intervals_and_marks_the_single_seeds(figure, figures):
    row = next(row for row in figures['scores'] if (row['method'], row['data']) == ('moco', 'sbu'))
    lines = [line.get_xydata() for line in figure.axes[0].lines if line.get_ydata()[0] // 1 == 1]
    bar, _, seeds = lines
    np.testing.assert_allclose(bar[:, 0], [row['accuracy']['low'], row['accuracy']['high']])
    np.testing.assert_allclose(seeds[:, 0], [58, 60, 62])
    assert (seeds[:, 1] > bar[0, 1]).all()


def test_floors_and_ceiling_are_named_lines_across_their_encoder_alone(figure):
    spans = sorted(tuple(lines.get_segments()[0].T.ravel()) for lines in figure.axes[0].collections)
    # Rows 1 to 3 are the BiGRU's methods, 5 and 6 those of ST-GCN; titles are in 0 and 4.
    gru = [(level, level, 0.5, 3.5) for level in (40, 60, 90)]
    np.testing.assert_allclose(spans, sorted([*gru, (50, 50, 4.5, 6.5)]))
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    names = [text.get_text() for text in legend.get_texts()]
    assert names[-2:] == ['raw joints', 'supervised'] and 'untrained' not in ' '.join(names)


def test_a_floor_far_below_the_methods_is_a_number_and_stretches_no_axis(figures, draw):
    scores = [
        dict(row, accuracy=dict(row['accuracy'], value=4.4)) if row['method'] == 'raw' else row
        for row in figures['scores']
    ]
    axes = draw(LAYOUT, dict(figures, scores=scores)).axes[0]
    assert [text.get_text() for text in axes.texts] == ['\u25c2 4']
    methods = [row['accuracy']['low'] for row in scores if row['data'] == 'sbu' and row['method'] != 'raw']
    assert min(methods) - 10 < axes.get_xlim()[0] < min(methods)
    levels = [lines.get_segments()[0][0, 0] for lines in axes.collections]
    assert min(levels) > 10


def test_no_text_lies_upon_another(figure, monkeypatch):
    written = []

    def draw(text, _):
        if text.get_visible() and text.get_text():
            written.append((text.get_text(), text.get_window_extent()))

    monkeypatch.setattr(Text, 'draw', draw)
    figure.draw_without_rendering()
    assert {'BiGRU, all three\nstreams', 'SkeletonCLR', 'single seeds', 'UTD-MHAD', '60'} <= {
        text for text, _ in written
    } - {'Late'}
    assert not [(one, two) for (one, a), (two, b) in combinations(written, 2) if a.overlaps(b)]


def test_a_protocol_without_figures_is_refused(figures, tmp_path):
    with pytest.raises(ValueError, match=r"no figures of 'semi_10' to draw; there are those of \['knn'\]"):
        plot_study(figures, LAYOUT, tmp_path / 'study.png', 'semi_10')
    assert not list(tmp_path.iterdir())
