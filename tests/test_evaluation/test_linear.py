"""Linear evaluation on cached features against momentum SGD written out in float64."""

import numpy as np
import pytest
import torch

from i2md_mmaction.evaluation import LinearRecipe, accuracy, fit_linear, linear_cached

RECIPE = LinearRecipe(epochs=7, lr=0.2, milestones=(3, 5), batch_size=8, weight_decay=0.01, evaluate_every=2)


def blobs(rows, seed, classes=3, width=5, spread=1.0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (rows,), generator=generator)
    centres = 2 * torch.eye(width, dtype=torch.float64)[:classes]
    return centres[labels] + spread * torch.randn(rows, width, generator=generator).double(), labels


def slow_fit(features, labels, classes, recipe, seed):
    """Softmax regression by hand: gradient, momentum and decay as PyTorch defines SGD."""
    generator = torch.Generator().manual_seed(seed)
    weight = 0.01 * torch.randn(classes, features.shape[1], generator=generator).double().numpy()
    bias, rate, velocity = np.zeros(classes), recipe.lr, [0.0, 0.0]
    x, targets = features.numpy(), np.eye(classes)[labels.numpy()]
    for epoch in range(recipe.epochs):
        if epoch in recipe.milestones:
            rate /= 10
        order = torch.randperm(len(x), generator=generator).numpy()
        for start in range(0, len(x), recipe.batch_size):
            rows = order[start : start + recipe.batch_size]
            logits = x[rows] @ weight.T + bias
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            error = (odds / odds.sum(axis=1, keepdims=True) - targets[rows]) / len(rows)
            gradients = (
                error.T @ x[rows] + recipe.weight_decay * weight,
                error.sum(axis=0) + recipe.weight_decay * bias,
            )
            velocity = [
                recipe.momentum * old + gradient for old, gradient in zip(velocity, gradients, strict=True)
            ]
            weight, bias = weight - rate * velocity[0], bias - rate * velocity[1]
    return weight, bias


def test_the_classifier_is_that_of_a_slow_reference():
    features, labels = blobs(37, 0)
    classifier = fit_linear(features, labels, 3, RECIPE, seed=4)
    weight, bias = slow_fit(features, labels, 3, RECIPE, seed=4)
    np.testing.assert_allclose(classifier.weight.detach().numpy(), weight, atol=1e-6)
    np.testing.assert_allclose(classifier.bias.detach().numpy(), bias, atol=1e-6)
    assert np.abs(weight).max() > 0.3


def test_scores_are_those_after_the_last_epoch_and_best_is_of_all_evaluations():
    (train, labels), (test, test_labels) = blobs(60, 1), blobs(40, 2)
    scores, best = linear_cached(train, labels, test, test_labels, 3, RECIPE, seed=4)
    weight, bias = slow_fit(train, labels, 3, RECIPE, seed=4)
    np.testing.assert_allclose(scores.numpy(), test.numpy() @ weight.T + bias, atol=1e-5)
    evaluated = []
    for epochs in (2, 4, 6, 7):
        recipe = LinearRecipe(**{**vars(RECIPE), 'epochs': epochs})
        weight, bias = slow_fit(train, labels, 3, recipe, seed=4)
        predicted = (test.numpy() @ weight.T + bias).argmax(axis=1)
        evaluated.append(100 * (predicted == test_labels.numpy()).mean())
    assert best == pytest.approx(max(evaluated)) and accuracy(scores, test_labels) <= best


def test_the_papers_recipe_is_the_default():
    recipe = LinearRecipe()
    assert (recipe.epochs, recipe.lr, recipe.milestones, recipe.batch_size) == (80, 0.1, (50, 70), 64)
    assert recipe.momentum == 0.9 and recipe.weight_decay == 0


def test_a_seed_decides_and_the_features_are_left_alone():
    features, labels = blobs(30, 3)
    before = features.clone()
    first, again, other = (fit_linear(features, labels, 3, RECIPE, seed).weight for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other) and torch.equal(features, before)


def test_features_that_are_not_finite_and_labels_out_of_range_are_refused():
    features, labels = blobs(10, 0)
    with pytest.raises(ValueError, match='do not fit 2 classes'):
        fit_linear(features, torch.full_like(labels, 2), 2)
    features[3, 1] = float('nan')
    with pytest.raises(ValueError, match='1 of 10 rows are NaN or infinite; the checkpoint is'):
        fit_linear(features, labels, 3)
    with pytest.raises(ValueError, match='that the linear classifier is tested on: 1 of 10 rows'):
        linear_cached(torch.nan_to_num(features), labels, features, labels, 3)


def test_a_classifier_that_diverges_gives_no_accuracy():
    features, labels = (
        1e20 * torch.randn(10, 4, generator=torch.Generator().manual_seed(0)),
        torch.arange(10) % 3,
    )
    with pytest.raises(ValueError, match='weights of the linear classifier at learning rate 1e'):
        linear_cached(features, labels, features, labels, 3, LinearRecipe(lr=1e30))
