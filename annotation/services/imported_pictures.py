"""Originals and reconstructions that people judged elsewhere: read from files, or made again by their methods."""

import math
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import PIL
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from annotation.core.conditions import ORIGINAL_METHOD
from annotation.core.formats.plain import Shown
from annotation.errors import BadPhotograph
from annotation.models import Reconstruction, Source, Study
from annotation.models.stimulus import as_decimal
from annotation.services.remaking import CannotRemake, Remade, remake, why_not
from annotation.services.sources import add_source
from codecs_zoo.contract import CodecError, Pixels
from imaging import pictures as image

# Makes or reads the picture `shown` of an original with these pixels. Raises CannotShow.
Show = Callable[[Shown, Pixels], Remade]

# A bitrate of an imported picture is filed under the nearest of these, so that tables by bitrate stay short.
RATES = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
LICENCES = {
    "mucped23": ("CC BY-SA 4.0", "CID22 reference set, Cloudinary; answers: mucped23, Google, CC BY 4.0")
}
# What keeps every pixel says nothing about the bitrate of what is in it.
LOSSLESS = ("PNG", "BMP", "TIFF", "GIF")


class CannotShow(ValueError):
    """A picture that an answer is about cannot be had; the message is the reason that rows are counted under."""


def from_files(folder: Path) -> Show:
    """Pictures whose names are paths below `folder`."""

    def show(shown: Shown, pixels: Pixels) -> Remade:
        path = folder / shown.name
        try:
            content = path.read_bytes()
            found = image.load_photograph(content)
        except FileNotFoundError as error:
            raise CannotShow("a reconstruction is not there") from error
        except (OSError, image.PhotographError) as error:
            raise CannotShow(f"a reconstruction cannot be read ({error})") from error
        codec = shown.codec or path.stem
        size = 0 if _format(content) in LOSSLESS else len(content)
        return Remade(
            found.pixels, codec, f"given as a file, read by pillow {PIL.__version__}", {}, {}, size, True
        )

    return show


def by_method(shown: Shown, pixels: Pixels) -> Remade:
    """A picture made again by the encoder that its name says."""
    reason = why_not(shown.name)
    if reason is not None:
        raise CannotShow(reason)
    try:
        return remake(shown.name, pixels)
    except CannotRemake as error:
        raise CannotShow(str(error)) from error


def _format(content: bytes) -> str:
    with Image.open(BytesIO(content)) as opened:
        return opened.format or ""


def nearest_rate(bpp: float) -> float:
    """The rate of RATES that an imported bitrate is filed under; 0 where it is not known."""
    return min(RATES, key=lambda rate: abs(rate - bpp)) if bpp > 0 else 0.0


def source_of(
    study: Study, format: str, name: str, photograph: Callable[[str], Path]
) -> tuple[Source, Pixels]:
    """The row and the pixels of an original, added to the study where it is new. Raises CannotShow."""
    path = photograph(name)
    licence, attribution = LICENCES.get(format, ("", f"imported with “{study.name}”"))
    try:
        pixels = image.load_photograph(path).pixels
        sha256 = image.pixels_sha256(pixels)
        source = study.sources.filter(sha256=sha256).first()
        if source is None:
            source = add_source(
                study=study, file=path, name=name[:200], licence=licence, attribution=attribution[:500]
            )
    except FileNotFoundError as error:
        raise CannotShow("the original is not there") from error
    except (image.PhotographError, BadPhotograph) as error:
        raise CannotShow(f"the original cannot be used ({error})") from error
    return source, pixels


class Pictures:
    """The reconstructions of one source, each made or read once."""

    def __init__(self, study: Study, source: Source, pixels: Pixels, show: Show) -> None:
        self.source, self.pixels, self._study, self._show = source, pixels, study, show
        self._known: dict[str, Reconstruction | CannotShow] = {}

    def reconstruction(self, shown: Shown) -> Reconstruction:
        """The row of a picture of this source. Raises CannotShow, each time that it is asked for."""
        if shown.name not in self._known:
            try:
                self._known[shown.name] = self._keep(self._show(shown, self.pixels), shown)
            except (CannotShow, CodecError) as error:
                self._known[shown.name] = CannotShow(str(error))
        found = self._known[shown.name]
        if isinstance(found, CannotShow):
            raise CannotShow(str(found))
        return found

    def _keep(self, made: Remade, shown: Shown) -> Reconstruction:
        if made.pixels.shape != self.pixels.shape:
            raise CannotShow("a reconstruction has another size than its original")
        height, width = self.pixels.shape[:2]
        sha256 = image.pixels_sha256(made.pixels)
        known = Reconstruction.objects.filter(
            source=self.source, sha256=sha256, operating_point__imported=shown.name
        ).first()
        if known is not None:
            self._study.own_pictures.add(known)
            return known
        bpp = shown.bpp if shown.bpp is not None else 8 * made.file_bytes / (width * height)
        error = float(((made.pixels.astype(float) - self.pixels) ** 2).mean())
        row = Reconstruction(
            source=self.source,
            origin=Reconstruction.Origin.OWN,
            method=self._free_method(shown.codec or made.codec, nearest_rate(bpp), sha256),
            level=as_decimal(nearest_rate(bpp)),
            operating_point={**made.operating_point, "imported": shown.name, "exact": made.exact},
            codec_version=made.version[:200],
            libraries=made.libraries,
            kind="classical" if made.libraries else "unknown",
            file_bytes=made.file_bytes or None,
            bpp=bpp,
            psnr=10 * math.log10(255.0**2 / error) if error else None,
            sha256=sha256,
            state=Reconstruction.State.DONE,
            finished_at=timezone.now(),
        )
        row.image.save("pixels.png", ContentFile(image.encode_png(made.pixels)), save=False)
        row.save()
        self._study.own_pictures.add(row)
        return row

    def _free_method(self, method: str, rate: float, sha256: str) -> str:
        """`method`, with a piece of the hash where another picture of this study has the name and rate."""
        method = "original file" if method == ORIGINAL_METHOD else method
        taken = self._study.own_pictures.filter(
            source=self.source, method=method[:40], level=as_decimal(rate)
        )
        return f"{method[:31]} {sha256[:8]}" if taken.exists() else method[:40]
