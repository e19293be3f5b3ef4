"""A codec with options has a name of its own: `checkerboard@effort=2,tune=perceptual`.

`registry.get` understands such names, so that a sweep, a study and the command line can hold a codec against itself.
Options stand in the order in which the codec declares them; those at their default are left out: one setting has
one name.
"""

from __future__ import annotations

from collections.abc import Mapping

from codecs_zoo.contract import Aimed, Availability, Codec, CodecError, Floats, Pixels, Setting, Settings


def split_name(name: str) -> tuple[str, dict[str, Setting]]:
    """The codec's own name and its options. Raises CodecError for what is not NAME@OPTION=VALUE,…"""
    own, at, rest = name.partition("@")
    options: dict[str, Setting] = {}
    for part in rest.split(",") if at else ():
        option, equals, value = part.partition("=")
        if not (option and equals and value) or option in options:
            raise CodecError(
                f"{name!r} is not of the form NAME@OPTION=VALUE,OPTION=VALUE with each option once."
            )
        options[option] = as_setting(value)
    return own, options


def as_setting(text: str) -> Setting:
    """A number where the text is one, else the text itself."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def with_options(codec: Codec, options: Mapping[str, Setting]) -> Codec:
    """`codec` with these options fixed; itself where all of them have their default. What a variant has fixed stays so.

    Raises CodecError for an option that it does not have, or a value that the option can't have.
    """
    if not options:
        return codec
    if unknown := sorted(set(options) - set(codec.options)):
        known = ", ".join(codec.options) or "none"
        raise CodecError(f"{codec.name} has no option {', '.join(unknown)}; it has {known}.")
    # The knob is only there to have the options checked.
    complete = codec.complete_settings({codec.knob.name: codec.knob.low, **options})
    fixed = {name: complete[name] for name in codec.options if complete[name] != codec.options[name][0]}
    if isinstance(codec, Variant):
        return codec.also_fixing(fixed)
    return Variant(codec, fixed) if fixed else codec


def check_ready(codec: Codec) -> None:
    """Raises CodecError if the codec, with its options, cannot encode here; the message says why and what to do."""
    codec.check_ready(codec.complete_settings({codec.knob.name: codec.knob.low}))


class Variant(Codec):
    """Another codec with some of its options fixed. Its files are the other's: either of them decodes them."""

    def __init__(self, codec: Codec, fixed: Mapping[str, Setting]) -> None:
        self.codec, self.fixed = codec, dict(fixed)
        spelt = ",".join(f"{name}={value}" for name, value in fixed.items())
        self.name = f"{codec.name}@{spelt}"  # type: ignore[misc]
        self.kind, self.licence, self.look = codec.kind, codec.licence, codec.look  # type: ignore[misc]
        self.knob, self.rate_curve, self.options = codec.knob, codec.rate_curve, codec.options  # type: ignore[misc]
        complete = codec.complete_settings({codec.knob.name: codec.knob.low, **fixed})
        self.seconds_per_megapixel = codec.seconds_at(complete)  # type: ignore[misc]

    def also_fixing(self, fixed: Mapping[str, Setting]) -> Codec:
        """The same codec with these options fixed; they include its own."""
        return Variant(self.codec, fixed)

    @property
    def family(self) -> str:
        return self.codec.family

    def availability(self) -> Availability:
        return self.codec.availability()

    def libraries(self) -> dict[str, str]:
        """Those of the codec at the fixed options."""
        return self.libraries_at({})

    def libraries_at(self, settings: Settings) -> dict[str, str]:
        return self.codec.libraries_at({**settings, **self.fixed})

    def seconds_at(self, settings: Settings) -> float:
        return self.codec.seconds_at(settings)

    def aim(self, pixels: Pixels, target_bpp: float, settings: Settings, tolerance: float) -> Aimed | None:
        return self.codec.aim(pixels, target_bpp, settings, tolerance)

    def check_ready(self, settings: Settings) -> None:
        self.codec.check_ready(settings)

    def tuned_on(self, settings: Settings) -> tuple[str, ...]:
        return self.codec.tuned_on(settings)

    def advice(self, pixels: Pixels) -> str:
        return self.codec.advice(pixels)

    def complete_settings(self, settings: Mapping[str, Setting]) -> Settings:
        """As the codec itself, with the fixed options. Raises CodecError where `settings` contradict them."""
        for name, value in self.fixed.items():
            if settings.get(name, value) != value:
                raise CodecError(f"{self.name} has {name} fixed; {settings[name]!r} was given.")
        return self.codec.complete_settings({**settings, **self.fixed})

    def _encode(self, pixels: Pixels, settings: Settings) -> bytes:
        return self.codec._encode(pixels, settings)

    def _decode(self, bitstream: bytes) -> Pixels:
        return self.codec._decode(bitstream)

    def bits_map(self, bitstream: bytes) -> Floats | None:
        return self.codec.bits_map(bitstream)

    def payload_bytes(self, bitstream: bytes) -> int:
        """Where the codec itself draws the line."""
        return self.codec.payload_bytes(bitstream)
