"""Names of photographs as names of files, which every system takes."""

import unicodedata

import pytest

from annotation.core.formats.published.pwcmp import manifest_scenes


def scenes(*names: str) -> list[str]:
    """What photographs of these names are called, in order."""
    sources = [{"sha256": f"{number:08d}" * 8, "name": name} for number, name in enumerate(names)]
    return list(manifest_scenes({"sources": sources}).values())


@pytest.mark.parametrize(
    ("name", "scene"),
    [
        ("kodim01.png", "kodim01.png"),
        (unicodedata.normalize("NFD", "Übung é"), "Übung é"),
        ("שלום\u202e", "שלום_"),
        ("a/b\\c:d", "a_b_c_d"),
        ("..", "photograph"),
        ("CON", "CON_"),
        ("nul.png", "nul.png_"),
        ("console", "console"),
        ("é" * 190, "é" * 60),
        ("𝒳" * 100, "𝒳" * 30),
        ("a" + "é" * 190, "a" + "é" * 59),
    ],
)
def test_a_name_is_one_that_every_system_takes(name: str, scene: str) -> None:
    assert scenes(name) == [scene]


@pytest.mark.parametrize(
    "names",
    [
        ("a", "A"),
        ("all", "other"),
        ("é" * 100 + "a", "é" * 100 + "b"),
        (unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")),
    ],
)
def test_names_that_would_be_one_file_get_their_hash(names: tuple[str, str]) -> None:
    first, second = scenes(*names)
    assert first.casefold() != second.casefold()
    assert first.endswith("-00000000")
