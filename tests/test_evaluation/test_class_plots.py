"""Pictures of classes are drawn with their names, for few classes and for many."""

import numpy as np
import pytest

from i2md_mmaction.datasets import class_names
from i2md_mmaction.datasets.class_names import NTU, NW_UCLA
from i2md_mmaction.evaluation.plots import plot_class_accuracy, plot_confusion, plot_tsne


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
