"""The photographs that the demo uses: those that scikit-image and scikit-learn ship."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Photograph:
    """A photograph in an installed package, with whom to thank."""

    package: str
    file: str
    name: str
    licence: str
    attribution: str

    @property
    def path(self) -> Path:
        """Where it is. Raises FileNotFoundError when the package is not installed or has lost it."""
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise FileNotFoundError(
                f"{self.package} is not installed, so {self.name} cannot be read. Run make install."
            )
        path = Path(spec.origin).parent / self.file
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing from this version of {self.package}.")
        return path


_CC0 = "CC0"
_PUBLIC = "public domain"
_CC_BY = "CC BY 2.0"


PHOTOGRAPHS = (
    Photograph("skimage", "data/astronaut.png", "astronaut", "no known restrictions", "NASA: Eileen Collins"),
    Photograph("skimage", "data/chelsea.png", "cat", _CC0, "Stéfan van der Walt"),
    Photograph("skimage", "data/coffee.png", "coffee", _CC0, "Rachel Michetti, pikolo espresso bar"),
    Photograph("skimage", "data/rocket.jpg", "rocket", _PUBLIC, "SpaceX: launch of Falcon 9 with DSCOVR"),
    Photograph("skimage", "data/hubble_deep_field.jpg", "deep field", _PUBLIC, "NASA / ESA: Hubble"),
    Photograph("skimage", "data/retina.jpg", "retina", _CC0, "Mikael Häggström"),
    Photograph(
        "skimage",
        "data/ihc.png",
        "colon tissue",
        "no known restrictions",
        "Center for Microscopy and Molecular Imaging",
    ),
    Photograph(
        "skimage",
        "data/motorcycle_left.png",
        "motorcycle",
        "none stated by scikit-image, which ships it",
        "Middlebury stereo benchmark 2014: Nesic, Westling, Wang, Kitajima, Krathwohl, Scharstein",
    ),
    Photograph(
        "sklearn",
        "datasets/images/china.jpg",
        "temple",
        _CC_BY,
        "danielbuechele on flickr",
    ),
    Photograph("sklearn", "datasets/images/flower.jpg", "flower", _CC_BY, "vultilion on flickr"),
)


def photographs() -> Iterator[Photograph]:
    """All of them."""
    yield from PHOTOGRAPHS
