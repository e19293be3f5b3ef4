"""Uncropped photographs, stored where a study shows a part of them, and their previews."""

from io import BytesIO

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from PIL import Image

from annotation.models import Photograph, Source
from annotation.services.encoding import read_pixels
from codecs_zoo.contract import Pixels
from imaging.pixels import pixels_sha256
from imaging.png import encode_png

# The longer side of a preview, in pixels.
PREVIEW_SIDE = 480


def store_uncropped(pixels: Pixels) -> Photograph:
    """The whole photograph, kept once for all studies."""
    sha256 = pixels_sha256(pixels)
    known = Photograph.objects.filter(sha256=sha256).first()
    if known:
        return known
    height, width = pixels.shape[:2]
    row = Photograph(sha256=sha256, width=width, height=height)
    row.image.save("whole.png", ContentFile(encode_png(pixels)), save=False)
    row.preview.save("preview.jpg", ContentFile(_preview(pixels)), save=False)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # it was added meanwhile
        return Photograph.objects.get(sha256=sha256)
    return row


def _preview(pixels: Pixels) -> bytes:
    picture = Image.fromarray(pixels)
    picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    content = BytesIO()
    picture.save(content, "JPEG", quality=80)
    return content.getvalue()


def uncropped_pixels(photograph: str) -> Pixels | None:
    """uint8 HxWx3 of the whole photograph with this hash; None where only a part of it was ever kept."""
    whole = Photograph.objects.filter(sha256=photograph).first()
    row = whole or Source.objects.filter(photograph=photograph, crop__isnull=True).first()
    if row is None:
        return None
    return read_pixels(row.image)
