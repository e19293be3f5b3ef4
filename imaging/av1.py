"""The colour that an AV1 picture itself names (AV1 specification, 5.5), for AVIF files whose boxes name none."""

from __future__ import annotations

from collections.abc import Callable

from imaging.boxes import coded_items, item_properties

CODE_POINTS = tuple[int, int]
"""Primaries and curve, by the numbers of H.273."""
_CONFIGURATION = 4
"""Bytes before the sequence header in an `av1C` property."""
_SEQUENCE_HEADER = 1
_LONGEST = 512
"""Bytes. A header with all of its 32 operating points has fewer, and to take a bit takes longer the longer it is."""
_UNSPECIFIED = (2, 2)

Take = Callable[[int], int]
"""Takes the next so many bits as a whole number."""


def colour_of_sequence(content: bytes) -> CODE_POINTS:
    """Primaries and curve by the first sequence header of an AVIF file that names them, (2, 2) where none does.

    Of each coded picture the first header counts: all headers of a sequence are identical (7.5).
    """
    configured = [body[_CONFIGURATION:] for name, body in item_properties(content) if name == b"av1C"]
    for stream in (*configured, *coded_items(content, b"av01")):
        try:
            named = _code_points(_bits(_sequence_header(stream)))
        except IndexError:
            continue
        if named != _UNSPECIFIED:
            return named
    return _UNSPECIFIED


def _sequence_header(stream: bytes) -> bytes:
    """The first one among the open bitstream units, each of which states its size (5.3); empty where there is none."""
    at = 0
    while at < len(stream) and stream[at] & 0x02:
        kind, at = stream[at] >> 3 & 15, at + (2 if stream[at] & 0x04 else 1)
        size = place = 0
        while at < len(stream):
            byte = stream[at]
            size, place, at = size | (byte & 0x7F) << place, place + 7, at + 1
            if not byte & 0x80:
                break
        if kind == _SEQUENCE_HEADER:
            return stream[at : at + min(size, _LONGEST)]
        at += size
    return b""


def _bits(content: bytes) -> Take:
    """Takes bits from the front of `content`; raises IndexError at its end."""
    number, left = int.from_bytes(content, "big"), 8 * len(content)

    def take(count: int) -> int:
        nonlocal left
        left -= count
        if left < 0:
            raise IndexError("the sequence header ends early")
        return number >> left & ((1 << count) - 1)

    return take


def _code_points(take: Take) -> CODE_POINTS:
    """Of a sequence header (5.5.1)."""
    profile, _, reduced = take(3), take(1), take(1)
    if reduced:
        take(5)
    else:
        _pass_operating_points(take)
    width_bits, height_bits = take(4) + 1, take(4) + 1
    take(width_bits)
    take(height_bits)
    if not reduced and take(1):  # frame numbers
        take(4 + 3)
    take(3)
    if not reduced:
        _pass_tools_of_video(take)
    take(3)
    return _colour_config(take, profile)


def _pass_operating_points(take: Take) -> None:
    delay_bits = 0
    if take(1):  # timing
        take(32 + 32)
        if take(1):
            _pass_variable_length(take)
        if take(1):  # decoder model
            delay_bits = take(5) + 1
            take(32 + 5 + 5)
    delays = take(1)
    for _ in range(take(5) + 1):
        take(12)
        if take(5) > 7:
            take(1)
        if delay_bits and take(1):
            take(2 * delay_bits + 1)
        if delays and take(1):
            take(4)


def _pass_variable_length(take: Take) -> None:
    zeros = 0
    while not take(1):
        zeros += 1
    take(zeros if zeros < 32 else 0)


def _pass_tools_of_video(take: Take) -> None:
    take(4)
    order_hint = take(1)
    if order_hint:
        take(2)
    screen_content = 2 if take(1) else take(1)
    if screen_content and not take(1):
        take(1)
    if order_hint:
        take(3)


def _colour_config(take: Take, profile: int) -> CODE_POINTS:
    high_depth = take(1)
    if profile == 2 and high_depth:
        take(1)
    if profile != 1:
        take(1)  # monochrome
    return (take(8), take(8)) if take(1) else _UNSPECIFIED
