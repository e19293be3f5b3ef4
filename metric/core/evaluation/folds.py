"""Parts of a set of triplets that share no source, and predictions for each part from the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from metric.core.distance.choice import fit_curve
from metric.core.errors import InputError
from metric.core.evaluation.votes import Votes
from psychometrics.comparisons import Floats

FOLDS = 5


class FoldError(InputError):
    """There are too few sources to part."""


def group_folds(groups: NDArray[np.str_], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each triplet, (N,): all triplets of a source share one, and folds are about equal in size.

    min(folds, sources) folds. Raises FoldError for a single source.
    """
    names, index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise FoldError(
            "Cross-validation needs at least two photographs in the train split. Add photographs."
        )
    count = min(folds, len(names))
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(count)
    fold_of = np.zeros(len(names), dtype=np.int64)
    for name in order:
        fold_of[name] = int(np.argmin(filled))
        filled[fold_of[name]] += sizes[name]
    return fold_of[index]


def out_of_fold(
    groups: NDArray[np.str_], seed: int, predict: Callable[[NDArray[np.bool_]], Floats], folds: int = FOLDS
) -> Floats:
    """(N,) values, those of each fold from `predict(seen)`, which may learn from the triplets `seen`, (N,), alone."""
    fold_of = group_folds(groups, folds, seed)
    values = np.empty(len(fold_of))
    for fold in range(int(fold_of.max()) + 1):
        values[fold_of == fold] = predict(fold_of != fold)[fold_of == fold]
    return values


def cross_fitted(distances: Floats, votes: Votes, *, seed: int = 0) -> Floats:
    """Log-odds (N,) of distances (N, 2) whose choice curve was fitted on the other sources of the same votes."""

    def predict(seen: NDArray[np.bool_]) -> Floats:
        return fit_curve(distances[seen], votes.p1[seen], votes.total[seen]).log_odds(distances)

    return out_of_fold(votes.photograph, seed, predict)
