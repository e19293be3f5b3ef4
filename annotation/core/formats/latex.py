"""LaTeX: words escaped, tables, and a document, for any standard engine (pdfLaTeX, XeLaTeX, LuaLaTeX).

Tables ask for no package. Signs that pdfLaTeX has no letter for are printed by the engines that know all of Unicode;
pdfLaTeX prints their number, U+4E2D.
"""

import unicodedata
from collections.abc import Iterator

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
    rows = [_row(row) for row in table.printed()]
    return "\n".join(_lines(table, rows, escape(caption), label)) + "\n"


def _lines(table: Table, rows: list[str], caption: str, label: str) -> Iterator[str]:
    for rule in ("top", "mid", "bottom"):
        yield rf"\providecommand{{\{rule}rule}}{{\hline}}"
    places = "".join("r" if numeric else "l" for numeric in table.numeric)
    head = [r"\toprule", _row(table.heads), r"\midrule"]
    if len(rows) > LONGEST_ON_A_PAGE:
        yield "% It may break over pages: load the package longtable."
        yield rf"\begin{{longtable}}{{{places}}}"
        yield rf"\caption{{{caption}}}\label{{{label}}}\\"
        yield from [*head, r"\endfirsthead", *head, r"\endhead", r"\bottomrule", r"\endfoot", *rows]
        yield r"\end{longtable}"
        return
    yield from [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{caption}}}\label{{{label}}}"]
    yield from [rf"\begin{{tabular}}{{{places}}}", *head, *rows, r"\bottomrule", r"\end{tabular}"]
    yield r"\end{table}"


def _row(cells: list[str]) -> str:
    return " & ".join(map(escape, cells)) + r" \\"


def figure(file: str, *, caption: str, label: str) -> str:
    """A figure from a file, as wide as a line at most."""
    lines = [
        r"\begin{figure}[htbp]", r"\centering", rf"\includegraphics[width=\linewidth]{{{file}}}",
        rf"\caption{{{escape(caption)}}}\label{{{label}}}", r"\end{figure}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def document(title: str, inputs: list[str]) -> str:
    """A whole document that takes in the files named, one after the other."""
    lines = [
        "% Compile with pdflatex, xelatex or lualatex.",
        r"\documentclass{article}",
        r"\usepackage{graphicx}", r"\usepackage{longtable}", r"\usepackage{textcomp}",
        r"\ifdefined\Umathcode\else\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\fi",
        r"\providecommand{\toprule}{\hline}", r"\providecommand{\midrule}{\hline}",
        r"\providecommand{\bottomrule}{\hline}",
        rf"\title{{{escape(title)}}}", r"\date{}", r"\begin{document}", r"\maketitle",
        *(rf"\input{{{name}}}" for name in inputs),
        r"\end{document}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
