"""An exhibit as the bytes of a file: SVG, PDF, CSV or LaTeX."""

from annotation.core.formats.latex import tabular
from annotation.reports.exhibits import Exhibit
from imaging.plots.pdf import to_pdf
from imaging.plots.svg import to_svg_file

DRAWN = {"svg": "image/svg+xml", "pdf": "application/pdf"}
WRITTEN = {"csv": "text/csv; charset=utf-8", "tex": "text/x-tex; charset=utf-8"}
FORMATS = DRAWN | WRITTEN


def exhibit_formats(exhibit: Exhibit) -> list[str]:
    """The endings under which it can be had; a table alone is not drawn."""
    return list(FORMATS if exhibit.scene is not None else WRITTEN)


def file_of(exhibit: Exhibit, form: str) -> bytes:
    """The file of that ending. Raises KeyError for one that `exhibit_formats` does not give."""
    if form == "csv":
        return exhibit.table.to_csv().encode()
    if form == "tex":
        return tabular(exhibit.table, caption=_caption(exhibit), label=f"tab:{exhibit.name}").encode()
    if exhibit.scene is None or form not in DRAWN:
        raise KeyError(form)
    return to_pdf(exhibit.scene) if form == "pdf" else to_svg_file(exhibit.scene).encode()


def _caption(exhibit: Exhibit) -> str:
    # A figure's words stand below the figure; its table has the title alone.
    return exhibit.title if exhibit.scene is not None else f"{exhibit.title}. {exhibit.caption}"
