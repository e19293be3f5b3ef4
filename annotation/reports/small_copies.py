"""Small copies of stored pictures, made once and kept in the shared cache."""

from django.core.cache import cache
from django.db.models.fields.files import FieldFile

from imaging.thumbnails import thumbnail

CACHED_S = 7 * 24 * 3600


def small_copy(image: FieldFile, kind: str) -> bytes:
    """The bytes of a WebP file; stored pictures never change, so neither does their copy."""
    key = f"small-{kind}-{image.name}"
    kept: bytes | None = cache.get(key)
    if kept is None:
        with image.open("rb") as file:
            kept = thumbnail(file.read(), kind)
        cache.set(key, kept, CACHED_S)
    return kept
