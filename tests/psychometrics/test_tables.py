"""CSV files in, in the dialects that people send, and out, guarded against formulas."""

import io

import pytest

from psychometrics.tables import (
    LONGEST_CELL,
    ROWS_A_PIECE,
    TableError,
    TableWriter,
    guard,
    parse_table,
    plain_number,
    read_records,
    stream,
    to_text,
    unguard,
)

PLAIN = "source,a,b\ns0.png,x.jpg,y.jpg\ns1.png,x.jpg,z.jpg\n"
RECORDS = [
    {"source": "s0.png", "a": "x.jpg", "b": "y.jpg"},
    {"source": "s1.png", "a": "x.jpg", "b": "z.jpg"},
]
QUOTED = '"source","a","b"\n"s0.png","x.jpg","y.jpg"\n"s1.png","x.jpg","z.jpg"\n'

DIALECTS = {
    "plain": PLAIN.encode(),
    "BOM": b"\xef\xbb\xbf" + PLAIN.encode(),
    "BOM and quotes": b"\xef\xbb\xbf" + QUOTED.encode(),
    "UTF-16 LE": b"\xff\xfe" + PLAIN.encode("utf-16-le"),
    "UTF-16 BE": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "UTF-32": PLAIN.encode("utf-32"),
    "CRLF": PLAIN.replace("\n", "\r\n").encode(),
    "CR only": PLAIN.replace("\n", "\r").encode(),
    "semicolons": PLAIN.replace(",", ";").encode(),
    "tabs": PLAIN.replace(",", "\t").encode(),
    "bars": PLAIN.replace(",", "|").encode(),
    "Excel's first line, in quotes": b'"sep=;"\r\n' + PLAIN.replace(",", ";").replace("\n", "\r\n").encode(),
    "Excel's first line": b"sep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n").encode(),
    "no last line end": PLAIN.rstrip("\n").encode(),
    "blank lines": b"\n" + PLAIN.encode() + b"\n\n  \n,,\n",
    "blanks before cells": PLAIN.replace(",", " , ").encode(),
    "blanks before quotes": QUOTED.replace(",", ", ").encode(),
    "row names": b'"","source","a","b"\n"1","s0.png","x.jpg","y.jpg"\n"2","s1.png","x.jpg","z.jpg"\n',
    "empty last column": PLAIN.replace("\n", ",\n").encode(),
    "empty cells beyond the head": PLAIN.replace(".jpg\n", ".jpg,,\n").encode(),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_gives_the_same_records(dialect):
    records = parse_table(DIALECTS[dialect], "answers.csv").records(["source", "a", "b"])

    assert [record for _, record in records] == RECORDS


@pytest.mark.parametrize(
    ("dialect", "lines"), [("plain", [2, 3]), ("CR only", [2, 3]), ("blank lines", [3, 4])]
)
def test_records_know_their_line(dialect, lines):
    assert [line for line, _ in parse_table(DIALECTS[dialect], "x").records(["a"])] == lines


def test_the_line_below_excels_hint_is_the_second():
    assert [line for line, _ in parse_table(DIALECTS["Excel's first line"], "x").rows] == [3, 4]


def test_delimiters_and_line_ends_within_quotes_stay_in_their_cell():
    table = parse_table(b'"na;me";note\r\n"a;b";"two\r\nlines ""quoted"""\r\n', "x.csv")

    assert table.rows == [(3, ("a;b", 'two\r\nlines "quoted"'))]


def test_optional_columns_are_given_where_they_are():
    table = parse_table(b"a,b,notes,notes\n1,2,3,4\n", "x.csv")

    assert table.records(["a"], ["b", "c"]) == [(2, {"a": "1", "b": "2"})]


REFUSED = {
    "no file": (b"", "is empty"),
    "only blank lines": (b"\n\n \r\n", "is empty"),
    "a missing column": (
        b"a,c\n1,2\n",
        "no column b. Its first line must have the columns a, b; it has a, c",
    ),
    "a column twice": (b"a,b,b\n1,2,3\n", "two columns b"),
    "too few fields": (
        b"a,b\n1,2\n3\n",
        r"Line 3 of x.csv does not have as many fields as the header \(1, not 2\)",
    ),
    "too many fields": (b"a,b\n1,2,3,4\n", r"Line 2 of x.csv does not have .* \(4, not 2\)"),
    "names of rows without a head": (b'"a","b"\n"1","x","y"\n', "one field more than the header"),
    "Latin-1": ("a,b\nx,1\né,2\n".encode("latin-1"), r"not text in UTF-8 \(line 3\)"),
    "UTF-16 without a mark": ("a,b\n1,2\n".encode("utf-16-le"), "zero bytes"),
    "a quote that is never closed": (b'a,b\n"1,2\n3,4\n', "closing quote"),
    "a quote in a quoted cell": (b'a,b\n"1"x,2\n', "Line 2 of x.csv: it is not well-formed"),
    "a cell beyond what a cell may be": (
        b"a,b\n" + b"x" * (LONGEST_CELL + 1) + b",2\n",
        "Line 2 .* characters",
    ),
    "two delimiters": (b"a,b;c\n1,2;3\n", "by commas or by semicolons"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_is_refused_in_words(kind):
    content, words = REFUSED[kind]

    with pytest.raises(TableError, match=words):
        parse_table(content, "x.csv").records(["a", "b"])


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(TableError, match="gone.csv cannot be read: No such file"):
        read_records(tmp_path / "gone.csv", ["a"])
    with pytest.raises(TableError, match="Is a directory"):
        read_records(tmp_path, ["a"])


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "=",
        "-",
        "＝1",
        "＋1+1",
        "－1",
        "＠SUM(1)",
        "'=1",
    ],
)
def test_text_that_would_run_as_a_formula_is_guarded(text):
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-0.5", "+3", "a=1", "", "-1e-3", -0.5, 3, None, True, "-inf"])
def test_numbers_and_harmless_text_stay(value):
    assert guard(value) == value


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'", "it's", "'-1", "'tis", "＝1", "-1", "-a"])
def test_a_guarded_cell_reads_back(text):
    assert unguard(guard(text)) == text


def test_a_file_that_is_written_reads_back():
    head, rows = ["name", "n"], [["=1+1.png", -2], ["a,b\n", None]]
    text = to_text(head, rows)

    assert text.splitlines()[1] == "'=1+1.png,-2"
    assert "".join(stream(head, rows)).replace("\r\n", "\n") == text
    assert parse_table(text.encode(), "x").rows == [(2, ("'=1+1.png", "-2")), (4, ("a,b", ""))]


def test_a_file_is_sent_in_pieces_of_many_lines():
    pieces = list(stream(["n"], ([n] for n in range(ROWS_A_PIECE + 1))))

    assert [piece.count("\r\n") for piece in pieces] == [1, ROWS_A_PIECE, 1]


def test_a_record_is_written_by_the_names_of_the_columns():
    text = io.StringIO(newline="")
    TableWriter(text, ["b", "a"]).record({"a": 1, "b": "@x", "c": 3})

    assert text.getvalue() == "b,a\n'@x,1\n"
    with pytest.raises(KeyError):
        TableWriter(text, ["b"]).record({"a": 1})


def test_blank_lines_below_excels_hint_are_counted():
    assert [line for line, _ in parse_table(b"sep=;\n\n\na;b\n1;2\n", "x").rows] == [5]
    assert [line for line, _ in parse_table(b"sep=;\r\n\r\na;b\r\n1;2\r\n", "x").rows] == [4]


def test_names_of_columns_are_guarded_too():
    """Those of a matrix are names of conditions, which people give."""
    assert to_text(["", "=1+1@0.5", "jpeg"], [["=1+1@0.5", 0, 2]]) == ",'=1+1@0.5,jpeg\n'=1+1@0.5,0,2\n"


@pytest.mark.parametrize("text", ["12", "-0.5", "+3", ".5", "5.", "1e-3", "1E3"])
def test_numbers_are_those_of_spreadsheets(text):
    assert plain_number(text) == float(text)


@pytest.mark.parametrize("text", ["1_000", "１２", "٣", "0x10", "1,5", "5ms", "", "−1"])
def test_what_only_python_reads_as_a_number_is_none(text):
    with pytest.raises(ValueError, match="number|convert"):
        plain_number(text)
    assert guard(f"-{text}") == f"'-{text}"
