"""Pseudo-languages: every text in letters that no text of ours has, so that whatever was not translated stands out."""

import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.utils.translation import to_locale
from pytest_django import Settings

from annotation import languages
from annotation.core.languages import SOURCE_LANGUAGE
from annotation.languages import DOMAINS
from annotation.management import catalogues

WIDE, RIGHT_TO_LEFT = "qps-wide", "qpr-bidi"
# Names, what the two sides are called in every language, and what stands on two keys.
KEPT = {"A", "B", "U", "F", "Closer", "Prolific"}
PLACE = re.compile(r"(%\(\w+\)[.\d]*[a-z]|%%)")


def in_pseudo(text: str, language: str) -> str:
    """The text in other letters, its places as they are."""
    letter = _hebrew if language == RIGHT_TO_LEFT else _wide
    parts = PLACE.split(text)
    return "".join(part if PLACE.fullmatch(part) else re.sub("[A-Za-z]", letter, part) for part in parts)


def _wide(match: re.Match[str]) -> str:
    return chr(ord(match[0]) + 0xFEE0)


def _hebrew(match: re.Match[str]) -> str:
    return chr(0x5D0 + (ord(match[0].lower()) - ord("a")))


@lru_cache
def _source(domain: str) -> Catalog:
    return catalogues.read_catalogue(SOURCE_LANGUAGE, domain)


def write_pseudo(language: str, folder: Path, *, without: str = "") -> None:
    """The catalogues of a pseudo-language below `folder`; `without` one text."""
    for domain in DOMAINS:
        whole, path = Catalog(locale="en"), folder / to_locale(language) / "LC_MESSAGES" / f"{domain}.mo"
        for message in _source(domain):
            if message.id and message.id != without:
                ids = [message.id] if isinstance(message.id, str) else message.id
                strings = tuple(in_pseudo(text, language) for text in ids)
                whole.add(message.id, strings[0] if isinstance(message.id, str) else strings)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(catalogues.to_mo(whole))


@pytest.fixture
def pseudo(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """The site speaks English and both pseudo-languages, one of which runs from right to left."""
    for language in (WIDE, RIGHT_TO_LEFT):
        write_pseudo(language, tmp_path)
    settings.LANGUAGES = [("en", "English"), (WIDE, "Ｗｉｄｅ"), (RIGHT_TO_LEFT, "בידי")]
    settings.LANGUAGES_BIDI = ["qpr"]
    settings.LOCALE_PATHS = [tmp_path, *settings.LOCALE_PATHS]
    languages.forget()
    yield
    languages.forget()


def untranslated(text: str) -> list[str]:
    """The words of a text that are in ordinary letters, but for names and annotators' numbers."""
    words = re.findall("[A-Za-z]+", re.sub(r"\b[0-9a-f]{8}\b", "", text))
    return [word for word in words if word not in KEPT]


class _Texts(HTMLParser):
    """What a reader of a page may see or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipping += tag in ("script", "style")
        for name, value in attrs:
            if name in ("aria-label", "title", "alt", "placeholder", "data-closer") and value:
                self.texts.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._skipping -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.texts.append(data)


def texts_of(page: str) -> str:
    """Everything that a page says, in text and in attributes."""
    parser = _Texts()
    parser.feed(page)
    return " ".join(parser.texts)
