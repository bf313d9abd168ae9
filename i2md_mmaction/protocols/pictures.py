"""Pictures of an evaluation: classes, embeddings, accuracy over pre-training."""

import json
import re
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from mmaction.evaluation import ConfusionMatrix

from ..datasets import class_names, open_annotations
from ..evaluation.knn import concatenate_streams
from ..evaluation.plots import plot_class_accuracy, plot_confusion, plot_tsne
from ..evaluation.run_page import plot_run
from ..io import write_file
from .evaluation import Evaluation
from .table import ENSEMBLE, PROTOCOLS, find_protocol


def name_of(evaluation: Evaluation) -> str:
    """What the report calls the data of an evaluation."""
    return dataset_name(evaluation.dataloaders['query']['dataset'])


def load_scores(evaluation: Evaluation, name: str) -> Tuple[np.ndarray, np.ndarray]:
    """Scores (S, classes) and labels (S,) kept by a unit."""
    kept = np.load(evaluation.out / 'results' / name)
    return kept['scores'], kept['labels']


def dataset_name(dataset: Mapping) -> str:
    """What results call a data set and its protocol, as the papers' numbers are found by it.

    The name is that of the dataset's config. A data set that has none is called
    by its file, suffix and all, which no paper's table is.

    Args:
        dataset: Config of the dataset of the queries; of joined ones all names.

    Example:
        >>> dataset_name(dict(name='ntu60', ann_file='data/packed', split='xsub_val'))
        'ntu60 xsub'
    """
    if 'datasets' in dataset:
        return ' + '.join(dict.fromkeys(map(dataset_name, dataset['datasets'])))
    if 'dataset' in dataset:
        return dataset_name(dataset['dataset'])
    name = dataset.get('name') or f'{Path(dataset["ann_file"]).name} (unnamed)'
    protocol = re.sub(r'_(val|test)$', '', dataset.get('split') or '')
    return f'{name} {protocol}'.strip()


def classes_of(dataset: Mapping) -> Optional[List[str]]:
    """Names of the classes of a dataset's config; also of data sets that are joined.

    The names of a joined data set begin at its ``label_offset``.

    Returns:
        The names by label; None where none are known.
    """
    parts, names = _parts(dataset), {}
    for part in parts:
        content = open_annotations(part['ann_file']).content
        known = class_names(content, part.get('layout', 'ntu25'), part.get('num_classes'))
        names.update(enumerate(known or (), start=part.get('label_offset', 0)))
    return [names.get(label, f'class {label}') for label in range(1 + max(names))] if names else None


def _parts(dataset: Mapping) -> List[Mapping]:
    """The configs of the data sets behind wrappers such as ``ConcatDataset``."""
    if 'datasets' in dataset:
        return [part for joined in dataset['datasets'] for part in _parts(joined)]
    return _parts(dataset['dataset']) if 'dataset' in dataset else [dataset]


def draw_classes(evaluation: Evaluation, results: Sequence[Dict], names: Optional[List[str]]) -> Dict:
    """Confusion matrix and class accuracies of the ensemble, or of the only stream.

    Returns:
        Caption -> file name; empty if no classifier has finished.
    """
    finished = [result for result in results if result['status'] == 'finished' and result['run'] == 0]
    for protocol in dict.fromkeys((*PROTOCOLS, *(result['protocol'] for result in finished))):
        chosen = [result for result in finished if result['protocol'] == protocol and 'scores' in result]
        if chosen:
            break
    else:
        return {}
    loaded = {result['stream']: load_scores(evaluation, result['scores']) for result in chosen}
    labels = next(iter(loaded.values()))[1]
    scores = {stream: pair[0] for stream, pair in loaded.items()}
    if len(scores) > 1:
        scores[ENSEMBLE] = find_protocol(protocol).fuse(scores, evaluation.weights)
    accuracies = {}
    for stream, score in scores.items():
        matrix = ConfusionMatrix.calculate(score.argmax(axis=1), labels, num_classes=score.shape[1]).numpy()
        with np.errstate(invalid='ignore'):
            accuracies[stream] = 100 * np.diag(matrix) / matrix.sum(axis=1)
    kind = f'{protocol}, {stream}, {name_of(evaluation)}'
    plot_confusion(matrix, evaluation.out / 'confusion.png', names, f'Confusion matrix: {kind}')
    title = f'Accuracy of each class: {protocol}, {name_of(evaluation)}'
    plot_class_accuracy(accuracies, evaluation.out / 'class_accuracy.png', names, title)
    return {
        f'Confusion matrix of {kind}': 'confusion.png',
        f'Accuracy of each class, {protocol}': 'class_accuracy.png',
    }


def draw_embeddings(evaluation: Evaluation, names: Optional[List[str]]) -> Dict:
    """t-SNE of all streams together, drawn once for the same features and names."""
    path, mark = evaluation.out / 'tsne.png', evaluation.out / 'results' / 'tsne.json'
    identity = json.dumps([evaluation.features_identity(), names])
    if not (path.exists() and mark.exists() and mark.read_text() == identity):
        features, labels = evaluation.features['query']
        joined = concatenate_streams(features).cpu().numpy()
        title = f'{evaluation.config.model.type}: embeddings of {name_of(evaluation)}, t-SNE'
        plot_tsne(joined, labels.cpu().numpy(), path, names, title)
        write_file(mark, identity)
    return {'t-SNE of the embeddings': path.name}


def draw_run(evaluation: Evaluation, work_dir: Union[str, Path, None]) -> Dict:
    """What was measured over pre-training, if the logs are at hand."""
    try:
        return {'Pre-training': plot_run(work_dir, evaluation.out / 'run.png').name} if work_dir else {}
    except FileNotFoundError:
        return {}
