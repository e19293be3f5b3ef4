"""Fits and baselines scored on sources that they did not see, for `benchmarks.people`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks._mucped import People
from metric.core.config import NETS, TERMS, TrainConfig
from metric.core.distance.baselines import BASELINES, BaselineUnavailable
from metric.core.distance.cache import VectorCache
from metric.core.distance.choice import ChoiceCurve
from metric.core.distance.columns import Parts, distances
from metric.core.evaluation.folds import cross_fitted, group_folds
from metric.core.evaluation.scoring import Progress
from metric.core.evaluation.votes import Candidate, Kind
from metric.core.training.comp import fine_tune
from metric.core.training.examples import Example, Examples, held_out
from metric.core.training.fit import Fit, design, fit_heads
from metric.core.training.trained import Trained
from psychometrics.comparisons import Floats

FOLDS = 5
OPTIONS = ("structure", "layers")

Way = Callable[[NDArray[np.bool_], int], Floats]


def cross_validated(people: People, seed: int, way: Way) -> Floats:
    """Log-odds (N,), those of each pair by the fold that did not see its source.

    `way(seen, fold)` learns from the pairs `seen`, (N,), and gives all pairs' log-odds, (N,).
    """
    fold_of = group_folds(people.votes.photograph, FOLDS, seed)
    odds = np.empty(len(fold_of))
    for fold in range(FOLDS):
        odds[fold_of == fold] = way(fold_of != fold, fold)[fold_of == fold]
    return odds


def as_row(key: str, label: str, odds: Floats) -> Candidate:
    """A row of log-odds (N,): as distances whose differences they are, with a curve that leaves them as they are."""
    kind: Kind = "baseline" if key in BASELINES else "new"
    return Candidate(key, label, kind, np.stack([odds, 0 * odds], axis=1), curve=ChoiceCurve(1.0))


@dataclass(frozen=True)
class Fitting:
    """Fits of one name, which joins trunks, terms and options with "+"; "comp:" before it fine-tunes them."""

    name: str
    people: People
    cache: VectorCache
    seed: int
    epochs: int
    crop: int
    learn_from: int = 0

    @property
    def words(self) -> list[str]:
        return self.name.removeprefix("comp:").split("+")

    def candidate(self) -> Candidate:
        """A row whose folds are each scored on the sources that they did not see. Raises TrunkUnavailable."""
        terms = tuple(word for word in self.words if word in TERMS)
        nets = [word for word in self.words if word in NETS]
        parts = Parts.of(nets, terms, "structure" in self.words)
        values = parts.values(self.people.pairs, self.cache).reshape(2, -1, len(parts.stock()))
        notes: list[str] = []

        def way(seen: NDArray[np.bool_], fold: int) -> Floats:
            seen = self._fewer(seen, fold)
            if not self.name.startswith("comp:"):
                fit = self._fit(parts, values, seen)
                notes.append(f"{fit.strength:g}")
                return fit.curve.log_odds((values.astype(np.float64) @ fit.weights).T)
            photographs = self.people.votes.photograph
            aside = seen & np.isin(photographs, held_out(photographs[seen].tolist(), self.seed))
            fit = self._fit(parts, values, seen & ~aside)
            tuned = self._tune(parts, fit, (seen & ~aside, aside), fold)
            notes.append(str(tuned.details["best_epoch"]))
            computed = distances(tuned.metric, self.people.pairs, self.cache)
            return tuned.curve.log_odds(computed.reshape(2, -1).T)

        odds = cross_validated(self.people, self.seed, way)
        output = "best epochs" if self.name.startswith("comp:") else "strengths"
        return as_row(self.name, f"fitted: {self.name} ({output} {', '.join(notes)})", odds)

    def _fewer(self, seen: NDArray[np.bool_], fold: int) -> NDArray[np.bool_]:
        """The pairs of `learn_from` sources drawn among those seen; all of them without a number."""
        if not self.learn_from:
            return seen
        photographs = self.people.votes.photograph
        draw = np.random.default_rng((self.seed, fold))
        return np.isin(photographs, draw.choice(np.unique(photographs[seen]), self.learn_from, replace=False))

    def _fit(self, parts: Parts, values: NDArray[np.float32], seen: NDArray[np.bool_]) -> Fit:
        votes = self.people.votes
        counts = [n[seen].astype(np.int64) for n in (votes.n_p0, votes.n_p1, votes.n_tie)]
        mean = np.abs(values[:, seen]).mean(axis=(0, 1), dtype=np.float64)
        return fit_heads(
            design(
                *values[:, seen], n_p0=counts[0], n_p1=counts[1], n_tie=counts[2],
                groups=list(votes.photograph[seen]),
            ),
            parts.stock(),
            mean,
            blocks=parts.blocks("layers" in self.words),
            scale=parts.scale(mean),
            even=parts.even(),
            seed=self.seed,
        )  # fmt: skip

    def _tune(
        self, parts: Parts, fit: Fit, masks: tuple[NDArray[np.bool_], NDArray[np.bool_]], fold: int
    ) -> Trained:
        """Fine-tuned on the pairs of the first mask, stopped by the second's; a killed run goes on where it was."""
        config = TrainConfig(
            nets=tuple(part.name for part in parts.lpips), terms=parts.terms, kind="comp", side_bias=False,
            epochs=self.epochs, crop=self.crop, patience=1, seed=self.seed,
        )  # fmt: skip
        train, validation = (
            [one for one, chosen in zip(self._examples(), mask, strict=True) if chosen] for mask in masks
        )
        start = Trained(parts.build(fit.weights.astype(np.float32)), ChoiceCurve(fit.slope))
        work = self.cache.path.parent / f"{self.name.replace(':', '-')}-{self.seed}-{self.crop}-{fold}"
        say, bar = (
            partial(tqdm.write, file=sys.stderr),
            tqdm(desc=f"{self.name}, fold {fold + 1} of {FOLDS}", disable=None),
        )
        with bar:
            return fine_tune(Examples(train, validation), config, start, work, say=say, progress=_shown(bar))

    def _examples(self) -> list[Example]:
        votes, half = self.people.votes, len(self.people.methods)
        return [
            Example(
                str(votes.photograph[row]), pair[0], pair[1], self.people.pairs[half + row][1],
                for_p1=votes.p1[[row]], total=votes.total[[row]], side=(0.0,),
            )
            for row, pair in enumerate(self.people.pairs[:half])
        ]  # fmt: skip


def _shown(bar: tqdm[NoReturn]) -> Progress:
    def progress(_: str, done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return progress


def baseline(key: str, people: People, cache: VectorCache, seed: int) -> Candidate:
    """A row of a published metric, with the choice curve that suits the sources of the other folds."""
    published = BASELINES[key]
    try:
        values = published.distances(people.pairs, cache, None, None).reshape(2, -1).T
    except BaselineUnavailable as error:
        return Candidate(key, published.label, "baseline", None, reason=str(error))
    return as_row(key, published.label, cross_fitted(values, people.votes, seed=seed))
