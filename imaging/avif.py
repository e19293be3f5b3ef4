"""The coded pictures of an AVIF file: whether they were cut and filled up with zeros."""

from __future__ import annotations

from imaging.boxes import coded_items
from imaging.errors import PhotographError

_FEWEST_ZEROS = 32
"""Bytes. What is coded ends with a bit that is set (AV1 specification, 5.3.4 and 8.2.4), few zeros after it."""


def refuse_zero_filled(content: bytes) -> None:
    """Raise PhotographError where a coded picture ends in zeros: decoders read them as pixels."""
    for coded in coded_items(content, b"av01"):
        if coded.endswith(bytes(_FEWEST_ZEROS)):
            raise PhotographError(
                "This AVIF file is truncated or damaged (part of its data is zeros). Save or copy it again "
                "from the original."
            )
