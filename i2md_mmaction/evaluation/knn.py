"""Nearest neighbours of frozen features."""

import math
from functools import partial
from typing import Dict, Iterator, Mapping, Optional, Sequence, Tuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .finite import check_finite


def concatenate_streams(features: Dict[str, Tensor], weights: Optional[Mapping[str, float]] = None) -> Tensor:
    """Joins the features of several streams, each scaled to unit length first.

    Args:
        features: Stream -> (S, H).
        weights: Stream -> weight of its similarity; 1 each by default.

    Returns:
        (S, sum of H); cosine similarity in it is the weighted mean over the streams.
    """
    scales = {name: 1.0 if weights is None else math.sqrt(weights[name]) for name in features}
    return torch.cat(
        [scales[name] * F.normalize(feature, dim=1) for name, feature in features.items()], dim=1
    )


def check_neighbors(k: int, size: int) -> None:
    """Refuses a number of neighbours that a bank of that size does not have."""
    if not 0 < k <= size:
        raise ValueError(f'k={k} neighbours of a bank of {size} samples; choose 1 to {size}')


def knn_predict(
    query: Tensor,
    bank: Tensor,
    bank_labels: Tensor,
    k: int = 1,
    num_classes: int = None,
    chunk: int = 1024,
    temperature: Optional[float] = None,
) -> Tensor:
    """Predicts labels by a vote of the k nearest bank rows, by cosine.

    Works in chunks of queries, so that no matrix of all pairs is held. Rows
    equally near are taken in the bank's order; among classes with equally many
    votes the one of the nearest row wins.

    With a temperature, a vote weighs ``exp(cosine / temperature)``. Source: `Wu
    et al. <https://arxiv.org/abs/1805.01978>`_, section 3.4.

    Args:
        query: (Q, H).
        bank: (S, H).
        bank_labels: (S,).
        k: Neighbours; 1 in the papers.
        num_classes: Classes; taken from the labels by default.
        chunk: Queries at a time.
        temperature: Of weighted votes; every vote weighs the same by default.

    Returns:
        (Q,), predicted labels.

    Raises:
        ValueError: If k exceeds the bank, or a feature is not finite.
    """
    check_finite('features of k-NN', query, bank)
    check_neighbors(k, len(bank))
    num_classes = num_classes or int(bank_labels.max()) + 1
    predictions = []
    for near, nearest in _search(query, bank, k, chunk):
        labels = bank_labels[nearest]
        if k == 1:
            predictions.append(labels[:, 0])
            continue
        votes = F.one_hot(labels, num_classes)
        if temperature is not None:
            votes = votes * ((near - near[:, :1]) / temperature).exp()[..., None]
        votes = votes.sum(dim=1)
        tied = votes.gather(1, labels) == votes.amax(dim=1, keepdim=True)  # (rows, k)
        nearest = tied.to(torch.uint8).argmax(dim=1, keepdim=True)
        predictions.append(labels.gather(1, nearest)[:, 0])
    return torch.cat(predictions)


def knn_search(query: Tensor, bank: Tensor, k: int, chunk: int = 1024) -> Tuple[Tensor, Tensor]:
    """Finds the k nearest bank rows of each query, by cosine; exact, in chunks of queries.

    Args:
        query: (Q, H).
        bank: (S, H).
        k: Neighbours.
        chunk: Queries at a time.

    Returns:
        Cosines and rows of the bank, (Q, k) each, the nearest first and equally
        near ones in the bank's order.

    Raises:
        ValueError: If k exceeds the bank, or a feature is not finite.

    Example:
        >>> bank = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
        >>> cosines, rows = knn_search(torch.tensor([[0.0, 5.0]]), bank, k=2)
        >>> rows.tolist(), [round(cosine, 2) for cosine in cosines[0].tolist()]
        ([[1, 2]], [1.0, 0.8])
    """
    check_finite('features of k-NN', query, bank)
    check_neighbors(k, len(bank))
    cosines, rows = zip(*_search(query, bank, k, chunk))
    return torch.cat(cosines), torch.cat(rows)


def nearest_others(features: Tensor, k: int = 1, chunk: int = 1024) -> Tuple[Tensor, Tensor]:
    """The k other rows nearest to each row, as :func:`knn_search` finds them in a bank.

    Args:
        features: (S, H).
        k: Neighbours.
        chunk: Rows at a time.

    Returns:
        Cosines and indices of the neighbours, (S, k) each, the nearest first and
        equally near ones in their order.

    Raises:
        ValueError: If k exceeds the other rows, or a feature is not finite.

    Example:
        >>> cosines, rows = nearest_others(torch.tensor([[1.0, 0], [0, 1], [3, 4]]))
        >>> rows[:, 0].tolist(), cosines[:, 0].tolist()
        ([2, 2, 1], [0.6000000238418579, 0.800000011920929, 0.800000011920929])
    """
    check_finite('features of k-NN', features)
    check_neighbors(k, len(features) - 1)
    cosines, rows = zip(*_search(features, features, k, chunk, others=True))
    return torch.cat(cosines), torch.cat(rows)


def _search(
    query: Tensor, bank: Tensor, k: int, chunk: int, others: bool = False
) -> Iterator[Tuple[Tensor, Tensor]]:
    """Cosines and rows (chunk, k) of the nearest for each chunk; of ``others``, but the row of its number."""
    bank = F.normalize(bank, dim=1)
    for start, part in zip(range(0, len(query), chunk), query.split(chunk)):
        similarity = F.normalize(part, dim=1) @ bank.T
        if others:
            similarity.diagonal(start).fill_(-torch.inf)
        nearest = _nearest(similarity, k)
        yield similarity.gather(1, nearest), nearest


def _nearest(similarity: Tensor, k: int) -> Tensor:
    """Indices (Q, k) of the largest values of each row of (Q, S), equal ones in their order."""
    if k == 1:
        return similarity.argmax(dim=1, keepdim=True)
    # One more than asked for shows whether the last one is as large as one that is left out.
    values, index = similarity.topk(min(k + 1, similarity.shape[1]), dim=1)
    equal = (values[:, 1:] == values[:, :-1]).any(dim=1)
    # topk takes equal values in any order; a stable sort keeps theirs, and takes many times as long.
    ordered = similarity[equal].sort(dim=1, descending=True, stable=True).indices
    index[equal] = ordered[:, : index.shape[1]]
    return index[:, :k]


def knn_predictions(
    query: Dict[str, Tensor],
    bank: Dict[str, Tensor],
    bank_labels: Tensor,
    k: int = 1,
    streams: Sequence[str] = (),
    temperature: Optional[float] = None,
    weights: Optional[Mapping[str, float]] = None,
) -> Dict[str, Tensor]:
    """Predicts labels from each stream and from all streams together.

    Args:
        query: Stream -> (Q, H).
        bank: Stream -> (S, H).
        bank_labels: (S,).
        k: Neighbours.
        streams: Streams to use; all by default.
        temperature: As for :func:`knn_predict`.
        weights: As for :func:`concatenate_streams`.

    Returns:
        ``top1_STREAM`` for each stream and ``top1`` for their concatenation, (Q,)
        of labels each.

    Raises:
        ValueError: If k exceeds the bank, or a feature is not finite.
    """
    streams = tuple(streams) or tuple(query)
    for name in streams:
        check_finite(f'features of stream {name!r}', query[name], bank[name])
    pairs = {f'top1_{name}': (query[name], bank[name]) for name in streams}
    joined = [concatenate_streams({name: side[name] for name in streams}, weights) for side in (query, bank)]
    pairs['top1'] = pairs[f'top1_{streams[0]}'] if len(streams) == 1 else tuple(joined)
    predict = partial(knn_predict, bank_labels=bank_labels, k=k, temperature=temperature)
    return {name: predict(*pair) for name, pair in pairs.items()}


def knn_accuracy(
    query: Dict[str, Tensor],
    query_labels: Tensor,
    bank: Dict[str, Tensor],
    bank_labels: Tensor,
    k: int = 1,
    streams: Sequence[str] = (),
) -> Dict[str, float]:
    """Accuracy (percent) of each stream and of all streams together.

    Args:
        query_labels: (Q,).
        query, bank, bank_labels, k, streams: As for :func:`knn_predictions`.

    Returns:
        ``top1_STREAM`` for each stream and ``top1`` for their concatenation.

    Raises:
        ValueError: If k exceeds the bank, or a feature is not finite.
    """
    return accuracies(knn_predictions(query, bank, bank_labels, k, streams), query_labels)


def accuracies(predictions: Dict[str, Tensor], labels: Tensor) -> Dict[str, float]:
    """How many percent of each (Q,) predicted labels are those given, (Q,)."""
    return {name: 100 * (row == labels).float().mean().item() for name, row in predictions.items()}
