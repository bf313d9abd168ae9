"""Linear evaluation on cached features, where the protocol has no augmentation."""

from dataclasses import dataclass
from typing import Callable, List, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .finite import check_finite


@dataclass(frozen=True)
class LinearRecipe:
    """How a linear classifier is trained; the defaults are CMD's and I2MD's.

    Source: CMD, section 4.2, and its released code; AimCLR trains 100 epochs
    at 3.0, a tenth from epoch 80, in batches of 128 (section 4.2).

    Args:
        epochs: Passes over the features.
        lr: Learning rate of SGD.
        milestones: Epochs after which the rate is divided by 10.
        batch_size: Samples of a step; the last step of an epoch may have fewer.
        momentum: Momentum of SGD.
        weight_decay: Its weight decay; 0 in all the papers here.
        evaluate_every: Epochs between evaluations, as released; the last
            epoch is always evaluated.
    """

    epochs: int = 80
    lr: float = 0.1
    milestones: Tuple[int, ...] = (50, 70)
    batch_size: int = 64
    momentum: float = 0.9
    weight_decay: float = 0.0
    evaluate_every: int = 5


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """Share (percent) of samples whose highest score (S, classes) is that of the label (S,)."""
    return 100 * (scores.argmax(dim=1) == labels).double().mean().item()


def fit_linear(
    features: Tensor,
    labels: Tensor,
    num_classes: int,
    recipe: LinearRecipe = LinearRecipe(),
    seed: int = 0,
    after_epoch: Optional[Callable[[int, nn.Linear], None]] = None,
) -> nn.Linear:
    """Trains a linear classifier on features, on their device and in their precision.

    Weights start as N(0, 0.01), the bias as zero. One generator draws them
    first and then, on the host, the order of each epoch.

    Args:
        features: (S, H).
        labels: (S,).
        num_classes: Number of classes.
        recipe: Optimiser and schedule.
        seed: Seed of the generator.
        after_epoch: Called with the number of epochs done and the classifier.

    Raises:
        ValueError: If the features are not finite, a label is out of range, or
            the classifier diverges.
    """
    check_finite('features of the linear classifier', features)
    if not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        raise ValueError(
            f'labels from {int(labels.min())} to {int(labels.max())} do not fit {num_classes} classes'
        )
    generator = torch.Generator().manual_seed(seed)
    classifier = nn.Linear(features.size(1), num_classes).to(features)
    with torch.no_grad():
        classifier.weight.copy_(0.01 * torch.randn(classifier.weight.shape, generator=generator))
        classifier.bias.zero_()
    optimizer = torch.optim.SGD(
        classifier.parameters(), recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(recipe.milestones), gamma=0.1)
    for epoch in range(1, recipe.epochs + 1):
        order = torch.randperm(len(features), generator=generator).to(labels.device)
        for rows in order.split(recipe.batch_size):
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(classifier(features[rows]), labels[rows]).backward()
            optimizer.step()
        schedule.step()
        check_finite(f'weights of the linear classifier at learning rate {recipe.lr}', classifier.weight)
        if after_epoch is not None:
            after_epoch(epoch, classifier)
    return classifier


def linear_cached(
    train: Tensor,
    train_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
    num_classes: int,
    recipe: LinearRecipe = LinearRecipe(),
    seed: int = 0,
) -> Tuple[Tensor, float]:
    """Linear evaluation of frozen features of two splits, each embedded once.

    Not the papers' number where their linear evaluation augments its training
    views, as CMD's and I2MD's do; AimCLR's does not.

    Args:
        train: (S, H).
        train_labels: (S,).
        test: (Q, H).
        test_labels: (Q,).
        num_classes: Number of classes.
        recipe: Optimiser and schedule.
        seed: Seed of weights and order.

    Returns:
        Scores (Q, num_classes) after the last epoch, and the best accuracy
        (percent) of all evaluations.

    Example:
        >>> rows, labels = torch.eye(4), torch.arange(4)
        >>> scores, best = linear_cached(rows, labels, rows, labels, 4)
        >>> best, tuple(scores.shape)
        (100.0, (4, 4))
    """
    accuracies: List[float] = []

    @torch.no_grad()
    def evaluate(epoch: int, classifier: nn.Linear) -> None:
        if epoch % recipe.evaluate_every == 0 or epoch == recipe.epochs:
            accuracies.append(accuracy(classifier(test), test_labels))

    check_finite('features that the linear classifier is tested on', test)
    classifier = fit_linear(train, train_labels, num_classes, recipe, seed, evaluate)
    with torch.no_grad():
        return classifier(test), max(accuracies)
