"""The section of a sweep's page that shows crops of the reconstructions beside the original."""

from collections.abc import Sequence
from html import escape

from codecs_zoo.sweep.crops import Crop, Strip

# Reconstructions in a row, the original in their middle.
WIDEST_ROW = 4


def crops_section(strips: Sequence[Strip]) -> str:
    """Where the codecs differ most, the original in the middle of each row; empty without strips."""
    if not strips:
        return ""
    panels = "".join(_strip(number, strip) for number, strip in enumerate(strips))
    return (
        "<section><h2>Examples</h2><p>Unscaled crops, from the region where the codecs differ most at the "
        f"lowest rate. The original is in the middle of each row.</p>{panels}</section>"
    )


def _strip(number: int, strip: Strip) -> str:
    left, top, width, height = strip.window
    where = f"{width} × {height} pixels at {left}, {top}"
    panels = "".join(
        f'<div class="room"><h3>{target:g} bpp</h3>'
        + "".join(_crop_row(number, strip, row) for row in _in_rows(crops))
        + "</div>"
        for target, crops in strip.by_target.items()
    )
    return f'<p class="note">{escape(strip.photo.name)}: {where}</p>{panels}'


def _in_rows(crops: Sequence[Crop]) -> list[list[Crop]]:
    return [list(crops[start : start + WIDEST_ROW]) for start in range(0, len(crops), WIDEST_ROW)]


def _crop_row(number: int, strip: Strip, crops: list[Crop]) -> str:
    """The original in the middle column of every row; an odd reconstruction stands on its left."""
    cells = [_crop(crop) for crop in crops]
    middle = f'<div class="same same-{number}" role="img" aria-label="The original"></div>'
    original = f'<figure class="original">{middle}<figcaption>original</figcaption></figure>'
    left = (len(cells) + 1) // 2
    gap = "<div></div>"
    sides = [gap] * (WIDEST_ROW // 2 - left) + cells[:left], cells[left:]
    columns = f"grid-template-columns: repeat({WIDEST_ROW + 1}, {strip.window[2]}px)"
    return f'<div class="crops" style="{columns}">{"".join([*sides[0], original, *sides[1]])}</div>'


def _crop(crop: Crop) -> str:
    row = crop.row
    psnr, bpp = row.figures.get("psnr"), f"{row.bpp:.3f} bpp"
    mark = " (tuned)" if "psnr" in row.tuned_on else ""
    words = f"{bpp}, {psnr:.1f} dB{mark}" if psnr is not None else bpp
    return (
        f'<figure><img alt="{escape(row.codec)} at {row.target_bpp:g} bpp" src="{crop.uri}">'
        f'<figcaption>{escape(row.codec)}<br><span class="figures">{words}</span></figcaption></figure>'
    )


def original_rules(strips: Sequence[Strip]) -> str:
    """The originals as classes: each is in the file once, however often it is shown."""
    return "".join(
        f".same-{number} {{ width: {strip.window[2]}px; height: {strip.window[3]}px; "
        f"background: url({strip.original}); }}\n"
        for number, strip in enumerate(strips)
    )
