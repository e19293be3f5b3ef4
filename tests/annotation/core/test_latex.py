"""LaTeX of tables: every sign escaped, numbers as they are printed, a document that a LaTeX compiles."""

import shutil
import subprocess
from pathlib import Path

import pytest

from annotation.core.formats.latex import document, escape, figure, tabular
from annotation.core.formats.printed import Column, Table, printed
from psychometrics.sentences import signed
from tests.kit.services import missing

HOSTILE = "".join(map(chr, range(1, 0x250))) + " − – “x” „ 中文 ليل 😀 \\input{/etc/passwd} $x^2$ -- ''"
COLUMNS = (Column("name", "Name & more"), Column("share", "Share, %", ".0%"), Column("jnd", "JND", "+.2f"))


def test_what_latex_reads_as_a_command_is_escaped() -> None:
    assert escape("50 % of a_b & #1 {~^}$") == (
        r"50 \% of a\_b \& \#1 \{\textasciitilde{}\textasciicircum{}\}\$"
    )
    assert escape("\\input{x}") == r"\textbackslash{}input\{x\}"
    assert escape("two\nlines\x00") == "two lines "


def test_hyphens_do_not_become_a_dash() -> None:
    assert escape("a--b") == "a-{}-{}b"


def test_signs_without_a_letter_in_t1_are_left_to_engines_that_know_unicode() -> None:
    assert escape("é中") == r"é\ifdefined\Umathcode 中\else U+4E2D\fi{}"


def test_numbers_are_rounded_in_print_and_whole_in_csv() -> None:
    table = Table(COLUMNS, (("webp", 0.123456, -0.5), ("=avif", None, 0.25)), (("more", 0.5, 1.0),))
    assert table.printed() == [["webp", "12 %", "−0.50"], ["=avif", "–", "+0.25"]]
    assert table.to_csv().splitlines() == [
        "name,share,jnd",
        "webp,0.123456,-0.5",
        "'=avif,,0.25",
        "more,0.5,1.0",
    ]
    assert list(table.numeric) == [False, True, True]


def test_a_table_has_a_line_for_each_row_and_breaks_where_it_is_long() -> None:
    short = tabular(Table(COLUMNS, (("a", 0.5, 1.0),)), caption="50 %", label="tab:a")
    assert r"a & 50 \% & +1.00 \\" in short and r"\caption{50 \%}\label{tab:a}" in short
    assert "longtable" not in short and r"\begin{tabular}{lrr}" in short
    long = tabular(Table(COLUMNS, (("a", 0.5, 1.0),) * 41), caption="", label="tab:b")
    assert r"\begin{longtable}{lrr}" in long and long.count(r"a & 50 \%") == 41


def paper(folder: Path) -> None:
    """A document with hostile words in every place, and a figure."""
    (folder / "tables").mkdir()
    short, long = (Table(COLUMNS, ((HOSTILE[:80], 0.5, -1.0),) * n) for n in (2, 60))
    (folder / "tables/a-0.37.tex").write_text(tabular(short, caption=HOSTILE, label="tab:a-0.37"))
    (folder / "tables/b.tex").write_text(tabular(long, caption="Long", label="tab:b"))
    (folder / "words.tex").write_text(escape(HOSTILE))
    (folder / "paper.tex").write_text(document(HOSTILE, ["words", "tables/a-0.37", "tables/b"]))


@pytest.mark.slow
def test_it_compiles(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        missing("pdflatex", "on Debian: apt-get install texlive-latex-base")
    paper(tmp_path)
    ran = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=110,
    )
    log = ran.stdout.decode("utf-8", "replace")
    assert ran.returncode == 0 and (tmp_path / "paper.pdf").stat().st_size > 10_000, log[-2000:]


def test_braces_and_environments_are_closed(tmp_path: Path) -> None:
    paper(tmp_path)
    for file in tmp_path.rglob("*.tex"):
        text = file.read_text().replace(r"\{", "").replace(r"\}", "")
        assert text.count("{") == text.count("}"), file
        assert text.count(r"\begin{") == text.count(r"\end{"), file
        # A sign that begins a command, a comment or a column is escaped: what is left are our own lines.
        assert "$" not in text.replace(r"\$", "") and "#" not in text.replace(r"\#", "")


def test_a_figure_is_as_wide_as_a_line_and_no_taller_than_its_page_holds() -> None:
    assert (
        r"\includegraphics[width=\linewidth,height=0.7\textheight,keepaspectratio]{figures/a.pdf}"
        in figure("figures/a.pdf", caption="", label="f")
    )


def test_what_rounds_to_nothing_has_no_minus() -> None:
    assert [printed(-0.004, form) for form in (".2f", "+.2f", ".0%")] == ["0.00", "+0.00", "0 %"]
    assert (printed(-0.006, ".2f"), printed(3, ",d"), signed(-0.004)) == ("−0.01", "3", "+0.00")
