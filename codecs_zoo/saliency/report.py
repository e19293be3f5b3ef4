"""The page of a saliency report: one HTML file that loads nothing from any network."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

from codecs_zoo import sweep
from codecs_zoo.contract import Floats, Pixels
from codecs_zoo.saliency.steering import SALIENT, Comparison, Side, steering_label
from codecs_zoo.sweep.intervals import Interval
from codecs_zoo.sweep.page import TUNED

STYLE: Final = Path(sweep.__file__).with_name("page.css")
WIDEST: Final = 224
"""Pixels of the long side of maps and pictures that are shown small."""
CROP: Final = 256
"""Pixels a side of the crops, which are not scaled."""
MORE, LESS, NONE = np.array([213.0, 94, 0]), np.array([0.0, 114, 178]), np.array([247.0, 247, 245])
"""Colours of more bits, fewer bits and no change (vermilion and blue of Okabe and Ito)."""


def render(
    codec: str,
    kind: str,
    target_bpp: float,
    comparisons: Sequence[Comparison],
    means: Mapping[str, Interval | None],
    notes: Sequence[str],
) -> str:
    """The whole page."""
    title = f"{codec}, steered by saliency ({kind})"
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    parts = [_head(title, target_bpp, comparisons, means), _table(comparisons, means), _notes(notes)]
    parts += [_photograph(one) for one in comparisons]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _head(
    title: str, target_bpp: float, comparisons: Sequence[Comparison], means: Mapping[str, Interval | None]
) -> str:
    inside, outside = means.get("salient_psnr"), means.get("other_psnr")
    count = len(comparisons)
    lead = (
        f"At equal bytes ({target_bpp:g} bits per pixel) the salient {100 * SALIENT:.0f} % of the pixels change by "
        f"{_signed(inside)} dB and the others by {_signed(outside)} dB, over {count} photograph"
        f"{'' if count == 1 else 's'}."
    )
    return (
        f'<header><p class="eyebrow">Saliency</p><h1>{escape(title)}</h1><p class="lead">{lead}</p></header>'
    )


def _table(comparisons: Sequence[Comparison], means: Mapping[str, Interval | None]) -> str:
    tuned = sorted(set().union(*(one.steered.row.tuned_on for one in comparisons)))
    heads = "".join(
        f'<th class="num">{escape(steering_label(name))}{TUNED if name in tuned else ""}</th>'
        for name in means
    )
    rows = "".join(
        f"<tr><td>{escape(one.photo.name)}</td>"
        + "".join(f'<td class="num">{_number(value)}</td>' for value in one.changes().values())
        + "</tr>"
        for one in comparisons
    )
    ends = "".join(f'<td class="num"><b>{_signed(one)}</b>{_range(one)}</td>' for one in means.values())
    word = f" The codec was tuned on {escape(', '.join(tuned))}." if tuned else ""
    return (
        "<section><h2>Steered less unsteered</h2><p>Both files of a photograph have the same target size; "
        "the first column shows the difference that remains. Intervals are "
        f"95 % bootstrap intervals over photographs.{word}</p>"
        f'<div class="frame"><table class="wrapped"><thead><tr><th>Photograph</th>{heads}</tr></thead><tbody>{rows}'
        f"<tr><td>Mean</td>{ends}</tr></tbody></table></div></section>"
    )


def _notes(notes: Sequence[str]) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def _photograph(one: Comparison) -> str:
    before, after = one.unsteered, one.steered
    pictures = [("Photograph", _uri(_small(one.pixels)), "")]
    pictures.append(("Saliency", _uri(_small(_grey(one.saliency))), "White is salient."))
    if before.bits is not None and after.bits is not None:
        most = max(float(np.percentile(before.bits, 99)), 1e-9)
        for word, side in (("Bits, unsteered", before), ("Bits, steered", after)):
            assert side.bits is not None
            share = f"{100 * (side.salient_bits or 0):.1f} % in the salient region."
            pictures.append((word, _uri(_small(_grey((side.bits / most).clip(0, 1)))), share))
        moved = _uri(_small(_signed_colours(after.bits - before.bits)))
        pictures.append(("Bits that moved", moved, "Orange: more when steered; blue: fewer."))
    cells = "".join(
        f'<figure><img alt="{escape(word)}" src="{uri}"><figcaption>{escape(word)}. {more}</figcaption></figure>'
        for word, uri, more in pictures
    )
    return f'<section><h2>{escape(one.photo.name)}</h2><div class="maps">{cells}</div>{_crops(one)}</section>'


def _crops(one: Comparison) -> str:
    top, left = _most_salient(one.saliency)
    shown: list[tuple[str, Pixels, str]] = [
        ("unsteered", one.unsteered.x_hat, _words(one.unsteered)),
        ("original", one.pixels, "where the map is highest"),
        ("steered", one.steered.x_hat, _words(one.steered)),
    ]
    cells = "".join(
        f'<figure><img alt="{word}" src="{_uri(pixels[top : top + CROP, left : left + CROP], lossless=True)}">'
        f'<figcaption>{word}<br><span class="figures">{words}</span></figcaption></figure>'
        for word, pixels, words in shown
    )
    columns = f"grid-template-columns: repeat(3, {min(CROP, one.pixels.shape[1])}px)"
    return f'<div class="room"><div class="crops" style="{columns}">{cells}</div></div>'


def _words(side: Side) -> str:
    inside, outside = (
        f"{side.salient_psnr:.2f} dB in the salient region",
        f"{side.other_psnr:.2f} dB elsewhere",
    )
    return f"{side.row.bpp:.4f} bpp, {inside}, {outside}"


def _most_salient(saliency: Floats) -> tuple[int, int]:
    """Top and left of the crop with the highest mean saliency."""
    height, width = saliency.shape
    tall, wide = min(CROP, height), min(CROP, width)
    means = uniform_filter(saliency, (tall, wide), mode="constant")
    tops, lefts = height - tall + 1, width - wide + 1
    inner = means[tall // 2 : tall // 2 + tops, wide // 2 : wide // 2 + lefts]
    top, left = np.unravel_index(np.argmax(inner), inner.shape)
    return int(top), int(left)


def _grey(values: Floats) -> Pixels:
    return np.repeat(np.rint(values * 255).astype(np.uint8)[:, :, None], 3, 2)


def _signed_colours(values: Floats) -> Pixels:
    most = max(float(np.percentile(abs(values), 99)), 1e-9)
    share = (values / most).clip(-1, 1)[:, :, None]
    towards = np.where(share > 0, MORE, LESS)
    return np.asarray(np.rint(NONE + abs(share) * (towards - NONE)), np.uint8)


def _small(pixels: Pixels) -> Pixels:
    picture = Image.fromarray(pixels)
    picture.thumbnail((WIDEST, WIDEST))
    return np.asarray(picture)


def _uri(pixels: Pixels, lossless: bool = False) -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        buffer, "WEBP", lossless=lossless, quality=85, method=4
    )
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


def _signed(one: Interval | None) -> str:
    return _number(None if one is None else one.value)


def _range(one: Interval | None) -> str:
    if one is None or one.low is None or one.high is None:
        return ""
    return f'<br><span class="range">{_number(one.low)} to {_number(one.high)}</span>'
