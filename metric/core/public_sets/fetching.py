"""Public sets, fetched: downloaded, compared with the hash that is known, unpacked; whole or not there.

What nobody has hashed is not fetched, unless somebody gives the hash or says to trust the first download. The hash is
then kept in a lock file beside the sets, which every later download must equal.
"""

from __future__ import annotations

import fcntl
import json
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from imaging.files import file_sha256, write_json
from metric.core.public_sets.download import download
from metric.core.public_sets.sets import SHA256, PublicSet, RemoteFile, SetError

LOCK = "fetched.lock.json"
# The name of a file, bytes that are there, and all of them.
Progress = Callable[[str, int, int | None], None]


def known_sha256(one: PublicSet, folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """What each file must hash to, by name: what was `given`, else what the lock file or else the list says, else "".

    Raises SetError for a hash that is none, or for a file that the set has not.
    """
    for name, value in given.items():
        if name not in {file.name for file in one.files}:
            files = ", ".join(file.name for file in one.files)
            raise SetError(f"{one.name} has no file {name}. It has {files}: give --sha256 FILE=VALUE.")
        if not SHA256.fullmatch(value):
            raise SetError(f"{value!r} is no sha256: it must be 64 digits of 0 to 9 and a to f.")
    locked = _read_lock(folder).get(one.name, {})
    return {
        file.name: given.get(file.name) or locked.get(file.name, {}).get("sha256", "") or file.sha256
        for file in one.files
    }


def fetch(
    one: PublicSet,
    folder: Path,
    *,
    given: Mapping[str, str] | None = None,
    trust_first: bool = False,
    accept_terms: bool = False,
    progress: Progress = lambda name, done, total: None,
) -> Path:
    """Fetch a set into `folder`/NAME, which is there already or made whole, and return that place.

    `given`: sha256 by file, for files of which none is known. `trust_first`: take what comes the first time, and write
    its hash into the lock file. Raises SetError where its terms were not accepted, a hash is missing or differs, or the
    network fails; what was downloaded then waits for the next attempt, except for a file that is another one.
    """
    if one.terms and not accept_terms:
        raise SetError(
            f"{one.title}. Licence: {one.licence}. {one.terms} Nothing was fetched. If your use is allowed, run the "
            "command again with --accept-terms."
        )
    expected = known_sha256(one, folder, given or {})
    unknown = [name for name, sha256 in expected.items() if not sha256]
    if unknown and not trust_first:
        raise SetError(
            f"Nobody has verified {', '.join(unknown)} of {one.name}: no sha256 is known, so it is not fetched. Give "
            "--sha256 VALUE, or say --trust-first-download: the hash of what comes is then kept, and later downloads "
            "must equal it."
        )
    place = folder / one.name
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / f".{one.name}.partial"):
        if place.exists():
            _compare(one, folder, given or {})
        else:
            _fill(one, folder, expected, progress)
    return place


def _compare(one: PublicSet, folder: Path, given: Mapping[str, str]) -> None:
    """Raises SetError where a set that is there was made of other files than those whose hashes are `given`."""
    locked = _read_lock(folder).get(one.name, {})
    for name, sha256 in given.items():
        if locked.get(name, {}).get("sha256") != sha256:
            raise SetError(
                f"{folder / one.name} is there already, and not from a {name} with the sha256 {sha256}. Delete that "
                "folder to fetch it again."
            )


def _fill(one: PublicSet, folder: Path, expected: Mapping[str, str], progress: Progress) -> None:
    partial = folder / f".{one.name}.partial"
    hashes = {file.name: _verified(file, partial, expected[file.name], progress) for file in one.files}
    built = partial / "built"
    shutil.rmtree(built, ignore_errors=True)
    built.mkdir()
    for file in one.files:
        _place(file, partial / file.name, built)
    _write_lock(one, folder, hashes, expected)
    built.rename(folder / one.name)
    shutil.rmtree(partial)


def _verified(file: RemoteFile, partial: Path, expected: str, progress: Progress) -> str:
    """Download a file; returns its sha256. Raises SetError, with the file removed, where it is another one."""
    path = partial / file.name
    if not (path.exists() and expected and file_sha256(path) == expected):
        download(file.url, path, lambda done, total: progress(file.name, done, total))
    sha256 = file_sha256(path)
    if expected and sha256 != expected:
        path.unlink()
        origin = f" ({file.sha256_by})" if expected == file.sha256 and file.sha256_by else ""
        raise SetError(
            f"{file.url} has the sha256 {sha256}, and it must be {expected}{origin}. It was removed. If you know that "
            f"the file has changed, give --sha256 {file.name}={sha256}."
        )
    return sha256


def _place(file: RemoteFile, path: Path, built: Path) -> None:
    if not file.unpack:
        shutil.copyfile(path, built / file.name)
        return
    try:
        if zipfile.is_zipfile(path):
            _unpack_zip(path, built)
        else:
            with tarfile.open(path) as archive:
                _require_room(sum(member.size for member in archive.getmembers()), built)
                _unpack_tar(archive, built)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise SetError(f"{file.name} cannot be unpacked: {error}.") from error


def _unpack_tar(archive: tarfile.TarFile, built: Path) -> None:
    if hasattr(tarfile, "data_filter"):  # since Python 3.11.4
        archive.extractall(built, filter="data")
        return
    for member in archive.getmembers():
        inside = PurePosixPath(member.name)
        if inside.is_absolute() or ".." in inside.parts or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name!r} leads outside of its folder or is no plain file")
    archive.extractall(built)


def _unpack_zip(path: Path, built: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            inside = PurePosixPath(member.filename)
            if inside.is_absolute() or ".." in inside.parts or stat.S_ISLNK(member.external_attr >> 16):
                raise SetError(f"{path.name} holds {member.filename!r}, which leads outside of its folder.")
        _require_room(sum(member.file_size for member in archive.infolist()), built)
        archive.extractall(built)


def _require_room(size: int, folder: Path) -> None:
    if size > shutil.disk_usage(folder).free:
        raise SetError(f"Unpacked, it has {size:,} bytes, and {folder} has less room.")


@contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """One download of a set at a time; the lock ends with the process."""
    with partial.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SetError("Another process is fetching this set.") from error
        partial.mkdir(exist_ok=True)
        try:
            yield
        finally:
            if partial.exists() and not any(partial.iterdir()):
                partial.rmdir()


def _read_lock(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    path = folder / LOCK
    if not path.exists():
        return {}
    try:
        lock = json.loads(path.read_text("utf-8"))
        return {name: {file: dict(its) for file, its in files.items()} for name, files in lock.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise SetError(
            f"{path} is damaged ({error}). Delete it, and give the hashes that you know."
        ) from error


def _write_lock(one: PublicSet, folder: Path, hashes: Mapping[str, str], expected: Mapping[str, str]) -> None:
    files = {
        file.name: {
            "url": file.url,
            "sha256": hashes[file.name],
            "by": "the first download" if not expected[file.name] else "a known sha256",
        }
        for file in one.files
    }
    # Another set may be written down at the same time.
    with (folder / f".{LOCK}").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        write_json(folder / LOCK, _read_lock(folder) | {one.name: files})
