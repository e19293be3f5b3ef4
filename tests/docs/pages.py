"""The pages that people read, as tests see them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def text_of(page: Path) -> str:
    """The page as it is written."""
    return page.read_text(encoding="utf-8")


def sections(page: Path, marks: str) -> dict[str, str]:
    """Heading to text, for the headings of a page that begin with these marks, such as "### "."""
    _, *parts = re.split(rf"^{marks}(.+)$", text_of(page), flags=re.MULTILINE)
    bodies = (re.split(r"^#{1,3} ", body, maxsplit=1, flags=re.MULTILINE)[0] for body in parts[1::2])
    return dict(zip(parts[::2], bodies, strict=True))
