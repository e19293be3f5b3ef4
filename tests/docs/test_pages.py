"""Links lead somewhere, the table of contents is complete, and the README's tree is the repository's."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, FENCED, PAGES, ROOT, text_of

LINK = re.compile(r"\]\(([^)\s]+)\)")
# What is made on a machine, and what tools keep.
NOT_OURS = {"var", "build", "dist"}


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The fragments that headings of a page give, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", text_of(page))):
        path, _, fragment = link.partition("#")
        if link.startswith("https://"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)} links to {link}"
        assert not fragment or fragment in anchors(target), f"{named(page)} links to {link}"


def test_the_table_of_contents_has_every_page() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / link).resolve() for link in LINK.findall(text_of(index))}
    assert {named(page) for page in PAGES if page not in linked | {index}} == set()


def test_decisions_are_numbered_without_a_gap_and_have_four_parts() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = text_of(page)
        assert text.startswith(f"# {int(page.name[:4])}. ")
        assert all(f"**{part}.**" in text for part in ("Question", "Decision", "Why", "Cost")), page.name


def tree() -> list[Path]:
    """The paths of the README's captioned tree."""
    block = text_of(ROOT / "README.md").partition("## What is where\n\n```\n")[2].partition("```")[0]
    paths, above = [], ROOT
    for line in block.splitlines():
        names = line.strip().partition("  ")[0].split()
        if not line.startswith(" "):
            above = ROOT
        paths += [above / name for name in names]
        if not line.startswith(" "):
            above = ROOT / names[0]
    return paths


def test_the_tree_is_true() -> None:
    assert [named(path) for path in tree() if not path.exists()] == []


def test_the_tree_has_every_folder() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))}
    ours = {name for name in folders - NOT_OURS if not name.endswith(".egg-info")}
    assert ours <= {path.name for path in tree()}


@pytest.mark.parametrize("picture", sorted((DOCS / "images").iterdir()), ids=named)
def test_pictures_are_used_and_small(picture: Path) -> None:
    assert picture.stat().st_size < 400_000
    assert named(picture) in text_of(ROOT / "README.md")
