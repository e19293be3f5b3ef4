"""Licences by the names that people write: their addresses, and their names on Hugging Face."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """`name` is Hugging Face's, `url` the licence's own page."""

    name: str
    url: str


_CREATIVE_COMMONS = "https://creativecommons.org"
_CC = {
    f"cc{kind}{version}": Licence(f"cc-{kind}-{version}", f"{_CREATIVE_COMMONS}/licenses/{kind}/{version}/")
    for kind in ("by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd")
    for version in ("2.0", "2.5", "3.0", "4.0")
}
_CC0 = Licence("cc0-1.0", f"{_CREATIVE_COMMONS}/publicdomain/zero/1.0/")
_KNOWN = {one.replace("-", ""): licence for one, licence in _CC.items()} | {"cc0": _CC0, "cc01.0": _CC0}


def licence_named(words: str) -> Licence | None:
    """The licence written as "CC BY-SA 4.0", "cc0" or its address; None for any other text."""
    plain = words.strip().lower()
    by_address = next((one for one in _KNOWN.values() if plain.rstrip("/") == one.url.rstrip("/")), None)
    return by_address or _KNOWN.get(plain.replace(" ", "").replace("-", ""))
