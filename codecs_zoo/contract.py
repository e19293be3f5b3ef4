"""What a codec is.

A codec turns a photograph into a file and back, and does nothing else: rates, timing and quality are
measured beside it, in `rate.py` and `measure.py`, in the same way for all of them.

To add one, write a module under `classical/` or `learned/` with one subclass of `Codec` and `@register`
above it (`registry.py` finds it), give it a look that no other codec has, add its golden result, and
describe it in `docs/codecs.md`.

The contract:

* Pixels are uint8, height x width x 3, sRGB, in the 0..255 range, from 1x1 up. Whatever a codec needs
  beside that (padding, YCbCr, float) it does and undoes itself.
* `encode` returns the whole file, as another program would read it. The same pixels and settings give the
  same bytes, in any thread and on any number of cores.
* `decode` returns the pixels, the same ones each time. A damaged bitstream either decodes to something of
  plausible size or raises `CodecError`; it never crashes, hangs or asks for unbounded memory.
* Settings are plain JSON: the knob, which steers the rate, and the options. A setting that is left out has
  the default; `complete_settings` writes them all down, so that a stimulus can be made again.
* Importing the module is cheap. A library that may be missing is imported at first use, and
  `availability` says why it is missing and how to get it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from imaging.pixels import Pixels as Pixels
from imaging.plots.looks import Look

Floats = npt.NDArray[np.float64]
Setting = int | float | str
Settings = dict[str, Setting]
Kind = Literal["classical", "learned"]

MAX_DECODED_PIXELS = 64_000_000


class CodecError(ValueError):
    """Settings, pixels or a bitstream that a codec can't use, or a library that is missing."""


@dataclass(frozen=True)
class Availability:
    """Whether a codec can run here; if not, why, and what makes it run."""

    available: bool
    reason: str = ""
    how: str = ""


@dataclass(frozen=True)
class Aimed:
    """The file of a codec that aims at a rate by itself: complete settings, encodes, milliseconds of all of them."""

    settings: Settings
    bitstream: bytes
    encodes: int
    encode_ms: float


@dataclass(frozen=True)
class Knob:
    """The one setting that steers the rate. `rises` says that bpp rises with it; `step` is its grid."""

    name: str
    low: float
    high: float
    step: float
    rises: bool

    @property
    def integer(self) -> bool:
        """True where the codec takes whole numbers only."""
        return self.step == 1

    def on_grid(self, value: float) -> int | float:
        """The nearest value that the codec takes, inside low..high."""
        steps = round((min(max(value, self.low), self.high) - self.low) / self.step)
        return int(self.low + steps) if self.integer else round(self.low + steps * self.step, 6)


class Codec(ABC):
    """One encoder and decoder. Subclasses say what they are and write `_encode`, `_decode`, `libraries`."""

    name: ClassVar[str]
    kind: ClassVar[Kind] = "classical"
    look: ClassVar[Look | None] = None
    """Its colour and shape in figures, in this pairing no other codec's."""
    licence: ClassVar[str]
    """Licence of the encoder's library, as SPDX names it."""
    knob: ClassVar[Knob]
    rate_curve: ClassVar[tuple[tuple[float, float], ...]]
    """(knob, bpp) on a typical photograph, from low to high knob: where rate targeting starts."""
    seconds_per_megapixel: ClassVar[float] = 1.0
    """Of one encode on one core, roughly: what a study is estimated by until this machine has made some."""
    options: ClassVar[Mapping[str, tuple[Setting, ...]]] = {}
    """The other settings: what each may be, the default first."""
    choices: ClassVar[tuple[str, ...]] = ()
    """Options that decide how the bits are spent, so that choosing among their values by a figure makes sense."""

    @property
    def family(self) -> str:
        """The codec's own name, without options: what a file is decoded by, and what gives it its look."""
        return self.name

    @abstractmethod
    def libraries(self) -> dict[str, str]:
        """Name to version of every library that shapes the bitstream, the encoder's own first."""

    @abstractmethod
    def _encode(self, pixels: Pixels, settings: Settings) -> bytes: ...

    @abstractmethod
    def _decode(self, bitstream: bytes) -> Pixels: ...

    @abstractmethod
    def payload_bytes(self, bitstream: bytes) -> int:
        """Bytes of coded picture, without the container. Each codec says where it draws the line."""

    def availability(self) -> Availability:
        """Whether the codec can run here."""
        return Availability(True)

    def seconds_at(self, settings: Settings) -> float:
        """`seconds_per_megapixel` at complete settings, where an option makes an encode much slower."""
        return self.seconds_per_megapixel

    def aim(self, pixels: Pixels, target_bpp: float, settings: Settings, tolerance: float) -> Aimed | None:
        """For a codec whose encodes are searches that can be steered: its file near the target, in its own way.

        `settings` are complete, their knob is to be chosen. None leaves aiming to `rate.py`, as most codecs do.
        """
        return None

    def check_ready(self, settings: Settings) -> None:
        """Raises CodecError if what these complete settings name (a model, a metric version) cannot be used here.

        For whoever is about to encode for hours: what an encode itself would find out, reported before the first one.
        """
        self._require_available()

    def tuned_on(self, settings: Settings) -> tuple[str, ...]:
        """Names of quality figures that the codec optimises at these complete settings: they say little about it."""
        return ()

    def bits_map(self, bitstream: bytes) -> Floats | None:
        """HxW, in bits per pixel: where a file spends its bits. None for a codec that can't tell."""
        return None

    def advice(self, pixels: Pixels) -> str:
        """A sentence for a picture that the codec takes, but that it was not made for; mostly empty."""
        return ""

    @property
    def version(self) -> str:
        """The implementation, such as "libjpeg-turbo 3.1.0 (pillow 13.0.0)"."""
        return _in_words(self.libraries())

    def libraries_at(self, settings: Settings) -> dict[str, str]:
        """`libraries` at complete settings, where an option brings in a part with a revision of its own."""
        return self.libraries()

    def version_at(self, settings: Settings) -> str:
        """The implementation that makes these bytes of these pixels; the decoder's is `version`."""
        return _in_words(self.libraries_at(settings))

    def complete_settings(self, settings: Mapping[str, Setting]) -> Settings:
        """`settings` with every default filled in.

        Raises CodecError for an unknown name, a missing knob or a value out of range.
        """
        known = [self.knob.name, *self.options]
        if unknown := sorted(set(settings) - set(known)):
            raise CodecError(f"{self.name} has no setting {', '.join(unknown)}; it has {', '.join(known)}.")
        complete: Settings = {self.knob.name: self._checked_knob(settings)}
        for name, choices in self.options.items():
            complete[name] = self._checked_option(name, settings.get(name, choices[0]))
        return complete

    def encode(self, pixels: Pixels, **settings: Setting) -> bytes:
        """The whole file for uint8 HxWx3 pixels. Raises CodecError for what the codec can't take."""
        complete = self.complete_settings(settings)
        check_pixels(pixels)
        self._require_available()
        try:
            return self._encode(np.ascontiguousarray(pixels), complete)
        except (OSError, RuntimeError, ValueError) as error:
            raise CodecError(f"{self.name} could not encode with {complete}: {error}") from error

    def decode(self, bitstream: bytes) -> Pixels:
        """uint8 HxWx3 pixels of a file that `encode` made. Raises CodecError if it is damaged."""
        self._require_available()
        try:
            pixels = self._decode(bytes(bitstream))
            check_pixels(pixels)
        except Exception as error:  # decoders fail in many ways; all of them mean that the file is bad
            raise CodecError(
                f"{self.name} could not decode these {len(bitstream)} bytes ({error}). "
                "The file is damaged or was not made by this codec; encode the picture again."
            ) from error
        return pixels

    def _checked_option(self, name: str, value: Setting) -> Setting:
        """The choice that equals `value`, as it is declared: 1.0 is 1."""
        choices = self.options[name]
        if isinstance(value, bool) or value not in choices:
            allowed = ", ".join(map(str, choices))
            raise CodecError(f"{self.name}: {name} is {value!r}; use one of {allowed}.")
        return choices[choices.index(value)]

    def _checked_knob(self, settings: Mapping[str, Setting]) -> int | float:
        knob = self.knob
        value: Any = settings.get(knob.name)
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not right or not knob.low <= float(value) <= knob.high or (knob.integer and value != int(value)):
            number = "whole number" if knob.integer else "number"
            given = "missing" if value is None else repr(value)
            raise CodecError(
                f"{self.name}: {knob.name} is {given}; use a {number} from {knob.low:g} to {knob.high:g}."
            )
        return int(value) if knob.integer else float(value)

    def _require_available(self) -> None:
        availability = self.availability()
        if not availability.available:
            raise CodecError(
                f"{self.name} is not available: {availability.reason} {availability.how}".strip()
            )


def check_pixels(pixels: Pixels) -> None:
    """Raises CodecError unless `pixels` is uint8 of shape HxWx3 with at least one pixel."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise CodecError(f"Pixels are {pixels.dtype} of shape {pixels.shape}; use uint8, HxWx3.")


def check_decoded_size(width: int, height: int) -> None:
    """Raises CodecError for a header that asks for more than 64 megapixels: it is damaged or hostile."""
    if not 0 < width * height <= MAX_DECODED_PIXELS:
        raise CodecError(f"its header claims {width} x {height} pixels, the limit is {MAX_DECODED_PIXELS}")


def bits_per_pixel(size_bytes: float, pixels: Pixels) -> float:
    """Bits of a file of `size_bytes` per pixel of the picture it holds."""
    height, width = pixels.shape[:2]
    return size_bytes * 8 / float(height * width)


def _in_words(libraries: dict[str, str]) -> str:
    """The first library and its version, the others in brackets."""
    (name, version), *others = libraries.items()
    rest = ", ".join(f"{other} {its}" for other, its in others)
    return f"{name} {version} ({rest})" if rest else f"{name} {version}"
