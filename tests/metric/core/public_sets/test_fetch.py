"""Public sets are fetched whole, verified, resumed, never without a hash or the terms; from a server of this file."""

import io
import json
import sys
import tarfile
import threading
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from metric.__main__ import main
from metric.core.public_sets import fetching
from metric.core.public_sets.fetching import _unpack_tar
from metric.core.public_sets.sets import SetError, read_sets
from tests.metric.core.public_sets.conftest import ANSWERS, Site, listed, sha256, zipped


def test_a_verified_set_is_fetched_unpacked_and_used_again(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.files["/set.zip"] = ANSWERS
    command = listed(tmp_path, site, sha256=sha256(ANSWERS))
    assert main(command) == 0
    assert (tmp_path / "to" / "ours" / "labels" / "a_csv").read_text().startswith("source")
    assert "Licence: CC0" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "to").iterdir() if "lock" not in p.name) == ["ours"]
    assert main(command) == 0 and len(site.ranges) == 1
    assert "It is there already" in capsys.readouterr().out


def test_nothing_is_asked_of_the_network_without_a_hash(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.files["/set.zip"] = ANSWERS
    command = listed(tmp_path, site)
    assert main(command) == 2 and not site.ranges and not (tmp_path / "to").exists()
    assert "Nobody has verified set.zip" in capsys.readouterr().err
    assert main([*command, "--sha256", "abc"]) == 2
    assert main([*command, "--sha256", f"other.zip={sha256(ANSWERS)}"]) == 2 and not site.ranges
    assert main([*command, "--sha256", sha256(ANSWERS)]) == 0


def test_a_first_download_that_was_trusted_binds_the_next(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.files["/set.zip"] = ANSWERS
    command = listed(tmp_path, site)
    assert main([*command, "--trust-first-download"]) == 0
    lock = json.loads((tmp_path / "to" / "fetched.lock.json").read_text())
    assert lock["ours"]["set.zip"]["sha256"] == sha256(ANSWERS)
    assert lock["ours"]["set.zip"]["by"] == "the first download"
    assert main([*command, "--sha256", sha256(ANSWERS)]) == 0
    assert main([*command, "--sha256", "0" * 64]) == 2
    assert "is there already, and not from a set.zip with the sha256 000" in capsys.readouterr().err
    (tmp_path / "to" / "ours").rename(tmp_path / "away")
    site.files["/set.zip"] = zipped(labels__a_csv="other")
    assert main([*command, "--trust-first-download"]) == 2
    assert "must be" in capsys.readouterr().err and not (tmp_path / "to" / "ours").exists()


def test_another_file_is_refused_and_removed(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.files["/set.zip"] = ANSWERS
    assert main(listed(tmp_path, site, sha256="0" * 64)) == 2
    assert f"has the sha256 {sha256(ANSWERS)}" in capsys.readouterr().err
    assert not list((tmp_path / "to").rglob("*.zip")) and not (tmp_path / "to" / "ours").exists()


def test_a_download_that_was_cut_off_continues(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.files["/set.zip"], site.hang_up_after = ANSWERS, 40
    command = listed(tmp_path, site, sha256=sha256(ANSWERS))
    assert main(command) == 2
    assert "Run the same command again" in capsys.readouterr().err
    site.hang_up_after = None
    assert main(command) == 0
    assert site.ranges == [None, "bytes=40-"]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(tmp_path: Path, site: Site) -> None:
    site.files["/set.zip"], site.hang_up_after = zipped(old="x" * 100), 40
    command = listed(tmp_path, site, sha256=sha256(ANSWERS))
    assert main(command) == 2
    site.files["/set.zip"], site.hang_up_after = ANSWERS, None
    assert main(command) == 0 and site.ranges == [None, "bytes=40-"]


def test_terms_must_be_accepted(tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.files["/set.zip"] = ANSWERS
    command = listed(tmp_path, site, sha256=sha256(ANSWERS), terms="Non-commercial use only.")
    assert main(command) == 2 and not site.ranges
    assert "Non-commercial use only. Nothing was fetched" in capsys.readouterr().err
    assert main([*command, "--accept-terms"]) == 0


def tarred(member: str | tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo(member) if isinstance(member, str) else member, io.BytesIO())
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("filters", [True, False] if sys.version_info < (3, 14) else [True])
def test_tar_files_are_unpacked_by_pythons_without_filters_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filters: bool
) -> None:
    """Python 3.11.0 to 3.11.3 have none."""
    if not filters:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    with tarfile.open(fileobj=io.BytesIO(tarred("inside/a"))) as archive:
        _unpack_tar(archive, tmp_path)
    assert (tmp_path / "inside" / "a").is_file()
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    for outside in (tarred("../out"), tarred(link)):
        with tarfile.open(fileobj=io.BytesIO(outside)) as archive, pytest.raises(tarfile.TarError):
            _unpack_tar(archive, tmp_path)


def spoiled() -> bytes:
    """A zip file whose packed data begin with a block of a kind that is not defined."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", "x" * 500)
    content = bytearray(buffer.getvalue())
    content[31] = 7  # behind a header of 30 bytes and the name
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>a page and no archive</html>", "cannot be unpacked"),
        (zipped(**{"..__out": "x"}), "leads outside"),
        (tarred("../out"), "cannot be unpacked"),
        (spoiled(), "cannot be unpacked: Error -3"),
    ],
    ids=["page", "zip", "tar", "spoiled"],  # a tar.gz contains the time
)
def test_what_is_no_archive_or_leads_outside_leaves_nothing(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    site.files["/set.zip"] = content
    assert main([*listed(tmp_path, site), "--trust-first-download"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "to" / "ours").exists() and not list(tmp_path.rglob("out"))


def test_a_server_that_lacks_it_or_leads_to_a_file(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*listed(tmp_path, site), "--trust-first-download"]
    assert main(command) == 2
    assert "answered 404" in capsys.readouterr().err
    for site.redirect in ("file:///etc/hostname", "ftp://127.0.0.1/set.zip"):
        assert main(command) == 2
        assert "not followed" in (error := capsys.readouterr().err) or "not allowed" in error


def test_the_list_names_licences_and_an_unknown_name_the_sets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch"]) == 0
    assert "needs --accept-terms: It may be used for non-commercial" in capsys.readouterr().out
    assert main(["fetch", "bapps"]) == 2
    assert "Known: bapps-val" in capsys.readouterr().err
    for one in read_sets().values():
        assert one.licence and all(file.url.startswith("https://") for file in one.files)
        assert all(file.sha256_by for file in one.files if file.sha256)


@pytest.mark.parametrize(
    "text",
    ["[", "[a]\n", '[a]\ntitle="t"\npage="p"\nlicence=""\nuse="u"\n[[a.files]]\nurl="https://x/y"\n',
     '[a]\ntitle="t"\npage="p"\nlicence="l"\nuse="u"\n[[a.files]]\nurl="ftp://x/y"\n',
     '[a]\ntitle="t"\npage="p"\nlicence="l"\nuse="u"\n[[a.files]]\nurl="https://x/y"\nmd5="1"\n',
     '[a]\ntitle="t"\npage="p"\nlicence="l"\nuse="u"\n[[a.files]]\nurl="https://x/y"\nsha256="1"\n'],
)  # fmt: skip
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(SetError, match=r"s\.toml"):
        read_sets(tmp_path / "s.toml")
    with pytest.raises(SetError, match=r"There is no file or folder .*gone\.toml"):
        read_sets(tmp_path / "gone.toml")


def test_sets_that_end_at_the_same_time_are_both_written_down(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["/set.zip"] = ANSWERS
    one = read_sets(Path(listed(tmp_path, site, sha256=sha256(ANSWERS))[3]))["ours"]
    read, both = fetching._read_lock, threading.Barrier(2)

    def read_late(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
        lock = read(folder)
        with suppress(threading.BrokenBarrierError):  # one at a time, they never meet here
            both.wait(0.1)
        return lock

    monkeypatch.setattr(fetching, "_read_lock", read_late)
    writers = [
        threading.Thread(
            target=fetching._write_lock,
            args=(replace(one, name=name), tmp_path, {"set.zip": "0"}, {"set.zip": ""}),
        )
        for name in ("first", "second")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert set(json.loads((tmp_path / fetching.LOCK).read_text())) == {"first", "second"}


def test_a_set_that_another_process_is_fetching_is_refused(
    tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.files["/set.zip"] = ANSWERS
    command = listed(tmp_path, site, sha256=sha256(ANSWERS))
    (tmp_path / "to").mkdir()
    with fetching._alone(tmp_path / "to" / ".ours.partial"):
        assert main(command) == 2
    assert "Another process is fetching this set" in capsys.readouterr().err
    site.redirect = f"{site.address}/again"
    assert main(command) == 2
    assert not (tmp_path / "to" / ".ours.partial").exists()
