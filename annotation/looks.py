"""One codec, one colour and shape, on every page and in every figure."""

from codecs_zoo import registry


def look_of(codec: str) -> int:
    """The codec's place in the zoo; one that the zoo has lost comes after all others."""
    names = registry.names()
    return names.index(codec) if codec in names else len(names)
