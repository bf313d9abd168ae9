"""Pictures of classes are drawn with their names, for few classes and for many."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from i2md_mmaction.datasets import class_label, class_names
from i2md_mmaction.datasets.class_names import NTU, NW_UCLA
from i2md_mmaction.evaluation.plots import draw_curves, plot_class_accuracy, plot_confusion, plot_tsne


@pytest.mark.parametrize('classes', [4, 60])
def test_pictures_are_written_even_where_a_class_has_no_sample(classes, tmp_path):
    matrix = np.random.default_rng(0).integers(0, 9, (classes, classes))
    matrix[1] = 0
    with np.errstate(invalid='ignore'):
        values = 100 * np.diag(matrix) / matrix.sum(axis=1)
    names = NTU[:classes]
    first = plot_confusion(matrix, tmp_path / 'confusion.png', names)
    second = plot_class_accuracy(dict(joint=values, ensemble=values), tmp_path / 'classes.png', names)
    assert all(path.read_bytes().startswith(b'\x89PNG') for path in (first, second))


def test_names_come_from_the_file_or_the_known_data_sets():
    assert class_names(dict(class_names=('a', 'b')), 'ntu25', 60) == ['a', 'b']
    assert len(set(NTU)) == 120 and len(set(NW_UCLA)) == 10
    assert class_names({}, 'ntu25', 120)[119] == 'rock-paper-scissors'
    assert class_names({}, 'kinect20', 10)[7] == 'doffing'
    assert class_names({}, 'coco17', 10) is None

    assert [class_label(label, names) for label, names in ((1, ('a', 'b')), (2, ('a', 'b')), (0, None))] == [
        'b',
        'class 2',
        'class 0',
    ]


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are drawn, in place of their files."""
    figures = []
    monkeypatch.setattr(
        'i2md_mmaction.evaluation.plots.save_figure', lambda figure, *_, **__: figures.append(figure)
    )
    return figures


def legend(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_the_legend_of_a_tsne_names_the_classes(drawn):
    embeddings = np.random.default_rng(0).normal(size=(12, 4))
    plot_tsne(embeddings, np.repeat([-1, 0, 1, 2], 3), 'tsne.png', ['sit', 'stand'])
    assert legend(drawn[0]) == ['no label', 'sit', 'stand', 'class 2']


@pytest.mark.parametrize('epochs', [[1, 2], [5, 10, 15], [10, 450]])
def test_a_curve_counts_whole_epochs_and_has_its_floors(epochs):
    accuracies = np.linspace(60, 70, len(epochs))
    floors = {'raw joints': 64.25, 'random encoder': 41.0}
    axes = Figure().add_subplot()
    draw_curves(axes, {'all streams': (epochs, accuracies)}, '1-NN', '%', floors)
    ticks = axes.get_xticks()
    assert len(ticks) > 1 and np.array_equal(ticks, ticks.round())
    levels = [line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1]
    assert levels == list(floors.values())
    assert axes.get_legend_handles_labels()[1] == ['all streams', *floors]


def test_no_picture_is_drawn_of_embeddings_that_are_not_finite(tmp_path):
    embeddings = np.random.default_rng(0).normal(size=(20, 4))
    embeddings[7, 1] = np.nan
    with pytest.raises(ValueError, match='features of t-SNE: 1 of 20 rows are NaN or infinite'):
        plot_tsne(embeddings, np.zeros(20), tmp_path / 'tsne.png')
    assert not list(tmp_path.iterdir())


def test_a_picture_that_cannot_be_drawn_to_its_end_leaves_the_old_one(tmp_path, monkeypatch):
    path = plot_confusion(np.eye(3), tmp_path / 'confusion.png')
    before = path.read_bytes()

    def half(self, file, **options):
        file.write(b'\x89PNG')
        raise MemoryError

    monkeypatch.setattr('matplotlib.figure.Figure.savefig', half)
    with pytest.raises(MemoryError):
        plot_confusion(np.eye(3), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
