"""The guide's pages as HTML: the Markdown files of docs/, with a table of contents and links that lead on inside."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

DOCS = Path(__file__).parents[2] / "docs"
INDEX = "index"
# Headings of these depths are in the table of contents.
IN_CONTENTS = {"h2": 2, "h3": 3}


@dataclass(frozen=True)
class Heading:
    """A heading of a page: its depth (2 or 3), its text and the name that links lead to."""

    depth: int
    text: str
    anchor: str


@dataclass(frozen=True)
class GuidePage:
    """A page of the guide, ready to be shown."""

    name: str
    title: str
    body: SafeString
    contents: tuple[Heading, ...]


def page_names() -> list[str]:
    """The names of all pages, "index" first: paths below docs/ without their ending."""
    names = sorted(str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md"))
    return sorted(names, key=lambda name: name != INDEX)


def picture_path(name: str) -> Path | None:
    """The file of a picture in docs/images; None where there is none of that name."""
    return next((path for path in (DOCS / "images").glob("*.png") if path.name == name), None)


@lru_cache(maxsize=256)
def guide_page(name: str) -> GuidePage | None:
    """The page of that name; None where there is none."""
    if name not in page_names():
        return None
    tokens = _markdown().parse((DOCS / f"{name}.md").read_text(encoding="utf-8"))
    headings = _name_headings(tokens)
    _lead_links(tokens, PurePosixPath(name).parent)
    html = _markdown().renderer.render(tokens, _markdown().options, {})
    # Code that is wider than its frame can be scrolled by keyboard. The renderer escapes all text; raw HTML is off.
    # The corner of a table heads nothing.
    html = html.replace("<pre>", '<pre tabindex="0">').replace("<th></th>", "<td></td>")
    body = mark_safe(html)  # noqa: S308
    contents = tuple(heading for heading in headings if heading.depth in IN_CONTENTS.values())
    return GuidePage(name, headings[0].text if headings else name, body, contents)


@lru_cache(maxsize=1)
def menu() -> list[tuple[str, str]]:
    """The main pages as (name, title), in the order of the index's table."""
    table = (DOCS / "index.md").read_text(encoding="utf-8").partition("\n## ")[0]
    rows = re.findall(r"^\| \[([^\]]+)\]\(([\w-]+)\.md\)", table, flags=re.MULTILINE)
    return [(INDEX, "The guide"), *((name, title) for title, name in rows)]


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    for rule, html in (
        ("table_open", '<div class="table-frame" tabindex="0"><table class="table">'),
        ("table_close", "</table></div>"),
    ):
        markdown.add_render_rule(rule, _always(html))
    return markdown


def _always(html: str) -> Callable[..., str]:
    def render(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return f"{html}\n"

    return render


def _name_headings(tokens: Sequence[Token]) -> list[Heading]:
    """Gives each heading an anchor as GitHub names it, so that links work in both places."""
    headings: list[Heading] = []
    for opening, inline in zip(tokens, tokens[1:], strict=False):
        if opening.type != "heading_open":
            continue
        text = "".join(part.content for part in inline.children or [] if part.type in ("text", "code_inline"))
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        taken = sum(heading.anchor.partition("~")[0] == anchor for heading in headings)
        anchor = f"{anchor}-{taken}" if taken else anchor
        opening.attrSet("id", anchor)
        headings.append(Heading(int(opening.tag[1]), text, anchor))
    return headings


def _lead_links(tokens: Sequence[Token], folder: PurePosixPath) -> None:
    """Links between pages lead to the pages here; those to files that no installation has become plain text."""
    for token in tokens:
        for part in token.children or []:
            if part.type == "link_open":
                target = _led(str(part.attrs.get("href", "")), folder)
                part.attrs = {"href": target} if target else {}
                part.tag = "a" if target else "span"
            elif part.type == "link_close":
                part.tag = "a"
            elif part.type == "image":
                part.attrs["src"] = reverse("help-picture", args=[PurePosixPath(str(part.attrs["src"])).name])
        _close_links(token.children or [])


def _close_links(parts: Sequence[Token]) -> None:
    opened: list[str] = []
    for part in parts:
        if part.type == "link_open":
            opened.append(part.tag)
        elif part.type == "link_close":
            part.tag = opened.pop()


def _led(href: str, folder: PurePosixPath) -> str:
    """Where a link of a page in `folder` leads here; "" where it leads to no page of the guide."""
    path, _, anchor = href.partition("#")
    if "://" in href or href.startswith("mailto:"):
        return href
    if not path:
        return f"#{anchor}"
    name = str(_joined(folder, path.removesuffix(".md")))
    if not path.endswith(".md") or name not in page_names():
        return ""
    address = reverse("help") if name == INDEX else reverse("help-page", args=[name])
    return f"{address}#{anchor}" if anchor else address


def _joined(folder: PurePosixPath, path: str) -> PurePosixPath:
    parts: list[str] = []
    for part in (folder / path).parts:
        parts = parts[:-1] if part == ".." and parts else [*parts, part]
    return PurePosixPath(*parts)
