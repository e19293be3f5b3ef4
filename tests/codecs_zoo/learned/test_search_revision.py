"""Points of different searches are not taken for the same: a searched file's version has the search's revision."""

import hashlib
from pathlib import Path

import pytest

from codecs_zoo import registry
from codecs_zoo.__main__ import main
from codecs_zoo.container import Header, pack
from codecs_zoo.contract import Pixels
from codecs_zoo.learned import _search
from codecs_zoo.sweep.plan import Photo, tasks
from imaging.png import encode_png
from tests.codecs_zoo.conftest import make_picture

NAME = "mean-scale-hyperprior"


@pytest.fixture
def pixels() -> Pixels:
    return make_picture(72, 64)


def test_only_searched_points_have_a_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, searched = registry.get(NAME), registry.get(f"{NAME}@effort=2")
    assert "search" not in plain.version and searched.version.endswith(f", search {_search.REVISION})")
    settings = plain.complete_settings({"quality": 3.0, "effort": 1})
    assert plain.version_at(settings) == searched.version
    assert plain.version_at({**settings, "effort": 0}) == plain.version
    monkeypatch.setattr(_search, "REVISION", 99)
    assert registry.get(f"{NAME}@effort=2").version.endswith(", search 99)")
    assert registry.get(NAME).version == plain.version


def test_a_sweep_makes_searched_rows_anew_after_a_change_of_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = Photo(Path("p.png"), "p.png", "0" * 64, 8, 8)
    codecs = [registry.get(name) for name in (NAME, f"{NAME}@effort=1", "avif@speed=8")]
    before = [task.version for task in tasks([photo], codecs, [0.5])]
    monkeypatch.setattr(_search, "REVISION", 99)
    after = [task.version for task in tasks([photo], codecs, [0.5])]
    assert [one != other for one, other in zip(before, after, strict=True)] == [False, True, False]


def test_a_file_says_which_search_made_it_and_older_ones_decode_without_a_note(
    tmp_path: Path, pixels: Pixels, capsys: pytest.CaptureFixture[str]
) -> None:
    codec = registry.get(NAME)
    settings = codec.complete_settings({"quality": 3.0, "effort": 1})
    file = codec.encode(pixels, quality=3.0)  # any file of the decoder's will do
    notes = []
    for version in (codec.version_at(settings), codec.version, "weights 1.00000000"):
        (tmp_path / "in.clz").write_bytes(pack(Header(NAME, version, settings, 72, 64), file))
        assert main(["decode", str(tmp_path / "in.clz"), str(tmp_path / "out.png")]) == 0
        notes.append("note: made by" in capsys.readouterr().out)
    assert notes == [False, False, True]


def test_the_command_line_writes_the_revision_into_the_file(tmp_path: Path, pixels: Pixels) -> None:
    (tmp_path / "in.png").write_bytes(encode_png(pixels))
    line = ["encode", str(tmp_path / "in.png"), str(tmp_path / "out.clz"), "--codec", NAME]
    for more in (["--option", "effort=1", "--setting", "quality=1"], ["--setting", "quality=1"]):
        assert main([*line, *more]) == 0
        assert (b", search " in (tmp_path / "out.clz").read_bytes()) == ("--option" in more)


def test_a_change_of_the_searchs_constants_raises_its_revision() -> None:
    """After such a change: raise REVISION in _search.py, and write the new pair here. Code beside is for reviewers."""
    from codecs_zoo.learned.networks import objective, searching

    constants = [
        f"{name}={value!r}"
        for module in (_search, searching, objective)
        for name, value in sorted(vars(module).items())
        if name.isupper()
        and isinstance(value, (int, float, dict, tuple))
        and name not in ("REVISION", "OPTIONS")
    ]
    weights = [objective.weight_in_a_search(40.0, float(error)) for error in (5, 20, 60, 120, 500)]
    fingerprint = hashlib.sha256(f"{constants} {weights}".encode()).hexdigest()[:12]
    assert (_search.REVISION, fingerprint) == (2, "5e9048defffe")
