"""LaTeX: words escaped, tables, and a document, for any standard engine (pdfLaTeX, XeLaTeX, LuaLaTeX).

Tables ask for no package. Signs that pdfLaTeX has no letter for are printed by the engines that know all of Unicode;
pdfLaTeX prints their number, U+4E2D.
"""

import unicodedata
from collections.abc import Iterator, Sequence

from annotation.core.formats.latex_fit import Fit, fit
from annotation.core.formats.printed import Table

# A longer table may break over pages, which needs the package longtable.
LONGEST_ON_A_PAGE = 40
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"{\char34}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "−": r"\ensuremath{-}", "–": "--", "—": "---", "×": r"\ensuremath{\times}", "±": r"\ensuremath{\pm}",
    "≥": r"\ensuremath{\geq}", "≤": r"\ensuremath{\leq}", "≈": r"\ensuremath{\approx}", "·": r"\ensuremath{\cdot}",
    "°": r"\ensuremath{^\circ}", "²": r"\ensuremath{^2}", "→": r"\ensuremath{\rightarrow}", "…": r"\ldots{}",
    "“": "``", "”": "''", "„": r"\quotedblbase{}", "‘": "`", "’": "'", "\u00a0": "~", "\u202f": r"\,",
    "-": "-{}",
}  # fmt: skip
# Letters of the encoding T1 that every engine prints as they stand.
_LETTERS = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿĂăĄąĆćČčĎďĐđĘęĚěĞğĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽž"
)


def escape(words: str) -> str:
    """Words as LaTeX prints them, whatever stands in them; line ends and control characters become spaces."""
    return "".join(map(_escaped, unicodedata.normalize("NFC", words)))


def _escaped(sign: str) -> str:
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if (sign.isascii() and sign.isprintable()) or sign in _LETTERS:
        return sign
    if unicodedata.category(sign)[0] in "CZ":
        return " "
    # \Umathcode is of the engines that know Unicode; the others skip what they could not print.
    return rf"\ifdefined\Umathcode {sign}\else U+{ord(sign):04X}\fi{{}}"


def tabular(table: Table, *, caption: str, label: str) -> str:
    """The table with its caption, to be \\input in a document; rules of booktabs where that is loaded."""
    cells = table.printed()
    fitting = fit(table.heads, cells, table.numeric)
    rows = [_row(row, fitting) for row in cells]
    return "\n".join(_lines(table, rows, fitting, escape(caption), label)) + "\n"


def breaks_over_pages(table: Table) -> bool:
    """Whether the table is longer than a page, and no float."""
    return fit(table.heads, table.printed(), table.numeric).lines > LONGEST_ON_A_PAGE


def _lines(table: Table, rows: list[str], fitting: Fit, caption: str, label: str) -> Iterator[str]:
    for rule in ("top", "mid", "bottom"):
        yield rf"\providecommand{{\{rule}rule}}{{\hline}}"
    head = [r"\toprule", _row(table.heads, fitting), r"\midrule"]
    letters = [] if fitting.gap is None else [rf"{fitting.size}\setlength{{\tabcolsep}}{{{fitting.gap:g}pt}}"]
    if fitting.lines > LONGEST_ON_A_PAGE:
        yield "% It may break over pages: load the package longtable."
        yield from [r"\begingroup", *letters, rf"\begin{{longtable}}{{{fitting.places}}}"]
        yield rf"\caption{{{caption}}}\label{{{label}}}\\"
        yield from [*head, r"\endfirsthead", *head, r"\endhead", r"\bottomrule", r"\endfoot", *rows]
        yield from [r"\end{longtable}", r"\endgroup"]
        return
    yield from [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{caption}}}\label{{{label}}}"]
    yield from [
        *letters,
        rf"\begin{{tabular}}{{{fitting.places}}}",
        *head,
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    yield r"\end{table}"


def _row(cells: list[str], fitting: Fit) -> str:
    return " & ".join(_cell(cell, n in fitting.wrapped) for n, cell in enumerate(cells)) + r" \\"


def _cell(words: str, wrapped: bool) -> str:
    return rf"{{\raggedright\hspace{{0pt}}{escape(words)}\par}}" if wrapped else escape(words)


def figure(file: str, *, caption: str, label: str) -> str:
    """A figure from a file, as wide as a line at most."""
    lines = [
        r"\begin{figure}[htbp]", r"\centering",
        rf"\includegraphics[width=\linewidth,height=0.7\textheight,keepaspectratio]{{{file}}}",
        rf"\caption{{{escape(caption)}}}\label{{{label}}}", r"\end{figure}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def document(title: str, inputs: list[str], after: Sequence[str] = ()) -> str:
    """A whole document that takes in the files named, one after the other; those `after` begin on a new page."""
    lines = [
        "% Compile with pdflatex, xelatex or lualatex.",
        r"\documentclass{article}",
        r"\usepackage{graphicx}", r"\usepackage{longtable}", r"\usepackage{textcomp}",
        r"\ifdefined\Umathcode\else\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\fi",
        r"\providecommand{\toprule}{\hline}", r"\providecommand{\midrule}{\hline}",
        r"\providecommand{\bottomrule}{\hline}",
        rf"\title{{{escape(title)}}}", r"\date{}", r"\begin{document}", r"\maketitle",
        *(rf"\input{{{name}}}" for name in inputs),
        *([r"\clearpage"] if after else []),
        *(rf"\input{{{name}}}" for name in after),
        r"\end{document}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
