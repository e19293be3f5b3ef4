"""A learned codec with weights that were trained elsewhere, under a name of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codecs_zoo import registry
from codecs_zoo.contract import CodecError, Settings
from codecs_zoo.learned._codec import LearnedCodec


def codec_version(name: str, family: str, weights: Path, tuned_on: tuple[str, ...] = ()) -> LearnedCodec:
    """The networks of the learned codec `family` with the file `weights`, as a codec called `name`.

    `tuned_on` names the figures on which these weights were trained, beside those of the family and of its options.
    It is not registered. Raises CodecError if `family` is no learned codec with weights.
    """
    base = registry.get(family)
    if not isinstance(base, LearnedCodec):
        raise CodecError(f"{family} has no weights to replace; choose a learned codec.")
    own = type(base)

    def figures_tuned_on(self: LearnedCodec, settings: Settings) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*tuned_on, *own.tuned_on(self, settings))))

    members = {
        "__doc__": f"{family} with weights trained on this site.",
        "__module__": __name__,
        "name": name,
        "tuned_on": figures_tuned_on,
        "network": property(lambda self: base.network),
        "weights": property(lambda self: weights),
    }
    subclass: Any = type(own)
    version: LearnedCodec = subclass(own.__name__, (own,), members)()
    return version
