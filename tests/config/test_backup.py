"""A backup made under load and restored elsewhere: SQLite with a folder, Postgres with a bucket."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from django.core.management import CommandError, call_command
from django.db import OperationalError

from config.backup.whole import MANIFEST
from tests.config.conftest import BUCKET
from tests.kit.databases import MigratedPostgres, MigratedSqlite
from tests.kit.services import wait_for

ROOT = Path(__file__).parents[2]

SETUP = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.core.files.storage import default_storage
from annotation.models import Judgment, Source, Snapshot, Study, Triplet
from django.contrib.auth.models import User
"""
FILL = """
from tests.kit.factories import make_judged_study
from annotation.services.snapshots import build_snapshot, request_snapshot
User.objects.create_superuser("ada", password="a long and odd passphrase")
study = make_judged_study(people=6, votes_per_triplet=100)
assert build_snapshot(pk=request_snapshot(study=study).pk) == "done"
"""
# People who judge without pause, until they are killed.
LOAD = """
import sys
from pathlib import Path
from tests.kit.factories import make_judgment, make_session, make_triplet
study = Study.objects.get()
while True:
    triplet = make_triplet(study)
    session = make_session(study)
    for _ in range(3):
        make_judgment(session)
    Path(sys.argv[1]).touch()
"""
LOOK = """
import json
pictures = [source.image for source in Source.objects.all()]
print(json.dumps({
    "judgments": Judgment.objects.count(),
    "accounts": list(User.objects.values_list("username", flat=True)),
    "unreadable": [image.name for image in pictures if not default_storage.exists(image.name)],
    "archives": [len(default_storage.open(s.archive.name).read()) > 0 for s in Snapshot.objects.all()],
    "next_id": User.objects.create(username="grace").pk > User.objects.get(username="ada").pk,
}))
"""


@dataclass
class Installation:
    """An installation by its environment."""

    env: dict[str, str]

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=os.environ | self.env, capture_output=True, text=True)

    def does(self, *arguments: str) -> str:
        done = self.manage(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SETUP + textwrap.dedent(program), *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=os.environ | self.env, stdout=subprocess.PIPE, text=True
        )

    def run(self, program: str) -> str:
        with self.start(program) as process:
            output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        return output


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def installations(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Installation, Installation]:
    """One that is migrated, to be filled, and an empty one of the same kind elsewhere."""
    one, two = (Installation(of_its_own(tmp_path / name)) for name in ("one", "two"))
    if request.param == "sqlite":
        request.getfixturevalue("migrated_sqlite").install(tmp_path / "one")
        return one, two
    migrated: MigratedPostgres = request.getfixturevalue("migrated_postgres")
    one.env["DATABASE_URL"], two.env["DATABASE_URL"] = migrated.copy("one"), migrated.empty("two")
    bucket = request.getfixturevalue("s3_url")
    for installation, name in ((one, "one"), (two, "two")):
        installation.env["STORAGE_URL"] = bucket.replace(BUCKET, name)
        make_bucket(bucket, name)
    return one, two


def of_its_own(folder: Path) -> dict[str, str]:
    """The environment of an installation in the folder; its secret key is the folder's name."""
    nowhere_else = {"DATABASE_URL": "", "STORAGE_URL": "", "REDIS_URL": ""}
    return {"VAR_DIR": str(folder), "SECRET_KEY": folder.name, **nowhere_else}


def make_bucket(url: str, name: str) -> None:
    host = url.partition("@")[2].partition("/")[0]
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=f"http://{host}", **keys).create_bucket(Bucket=name)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_backup_under_load_restored_elsewhere(
    installations: tuple[Installation, Installation], tmp_path: Path
) -> None:
    one, two = installations
    one.run(FILL)
    backup = tmp_path / "backup"
    with one.start(LOAD, str(tmp_path / "busy")) as load:
        wait_for((tmp_path / "busy").exists, "judgments", within=60)
        one.does("backup", str(backup))
        assert load.poll() is None, "it judged to the end"
        load.kill()
    assert (backup / "keys" / "SECRET_KEY").read_text() == "one"
    assert json.loads((backup / MANIFEST).read_text())["missing_files"] == 0

    assert "set SECRET_KEY" in two.does("restore", str(backup))
    result = json.loads(two.run(LOOK))
    assert result["judgments"] >= 27
    assert result["accounts"] == ["ada"]
    assert result["unreadable"] == []
    assert result["archives"] == [True]
    assert result["next_id"] is True


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_replaced_unasked_and_a_backup_is_brought_up_to_date(
    tmp_path: Path, migrated_sqlite: MigratedSqlite
) -> None:
    one = Installation(of_its_own(tmp_path / "one"))
    migrated_sqlite.install(tmp_path / "one")
    one.run(FILL)
    backup = tmp_path / "backup"
    one.does("backup", str(backup))
    digests = json.loads((backup / MANIFEST).read_text())["sha256_of_files"]
    picture = next((backup / "files" / "sources").iterdir())
    assert digests[f"sources/{picture.name}"] == sha256(picture.read_bytes()).hexdigest()
    copied_at = picture.stat().st_mtime_ns
    (tmp_path / "one" / "files" / "sources" / "new.png").write_bytes(b"new")
    (backup / "files" / "gone.png").write_bytes(b"deleted since")
    one.does("backup", str(backup))
    assert picture.stat().st_mtime_ns == copied_at
    assert (backup / "files" / "sources" / "new.png").read_bytes() == b"new"
    assert not (backup / "files" / "gone.png").exists()
    refused = one.manage("restore", str(backup))
    assert refused.returncode != 0 and "--replace" in refused.stderr
    one.does("restore", str(backup), "--replace")


@pytest.fixture
def backup(transactional_db: None, tmp_path: Path) -> Path:
    """The backup of this process's own installation, which has no study."""
    folder = tmp_path / "backup"
    call_command("backup", folder, verbosity=0)
    return folder


def test_a_backup_that_is_not_whole_or_not_ours_is_refused(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = json.loads((backup / MANIFEST).read_text())

    (backup / MANIFEST).write_text(json.dumps(manifest | {"format": 2}))
    with pytest.raises(CommandError, match="format 2"):
        call_command("restore", backup)

    put_back = Mock()
    monkeypatch.setattr("config.backup.files.put_back", put_back)
    for change, reason in (
        ({"migrations": {"annotation": "9999_from_the_future"}}, "later version"),
        ({"vendor": "postgresql"}, "from postgresql"),
    ):
        (backup / MANIFEST).write_text(json.dumps(manifest | {"database": manifest["database"] | change}))
        with pytest.raises(CommandError, match=reason):
            call_command("restore", backup)
    put_back.assert_not_called()

    (backup / MANIFEST).write_text(json.dumps(manifest))
    with (backup / "database" / "db.sqlite3").open("ab") as file:
        file.write(b"x")
    with pytest.raises(CommandError, match="Damaged since the backup was made"):
        call_command("restore", backup)

    (backup / MANIFEST).unlink()
    with pytest.raises(CommandError, match="was not finished"):
        call_command("restore", backup)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"format": 1}', '{"format": "1"}'])
def test_a_damaged_manifest_is_named(backup: Path, text: str) -> None:
    (backup / MANIFEST).write_text(text)
    with pytest.raises(CommandError, match=r"manifest.json is damaged"):
        call_command("restore", backup)


def test_what_is_missing_is_noticed_before_anything_is_replaced(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup without its key was restored by half: the database was there, and then came a traceback."""
    for step in ("load", "is_empty"):
        monkeypatch.setattr(f"config.backup.database.{step}", lambda *_: pytest.fail("the restore began"))
    manifest = json.loads((backup / MANIFEST).read_text())
    (backup / MANIFEST).write_text(json.dumps(manifest | {"files": manifest["files"] + 2}))
    with pytest.raises(CommandError, match=rf"has {manifest['files']} of {manifest['files'] + 2} files"):
        call_command("restore", backup)

    (backup / MANIFEST).write_text(json.dumps(manifest | {"database": {"vendor": "sqlite"}}))
    with pytest.raises(CommandError, match="has no 'migrations' of the database"):
        call_command("restore", backup)

    picture = backup / "files" / "sources" / "one.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(b"cut")
    digests = {"sha256_of_files": {"sources/one.png": sha256(b"cut short").hexdigest(), "gone.png": "0"}}
    (backup / MANIFEST).write_text(json.dumps(manifest | digests))
    with pytest.raises(CommandError, match=r"Damaged .*: sources/one.png, gone.png in"):
        call_command("restore", backup)

    (backup / MANIFEST).write_text(json.dumps(manifest))
    (backup / "keys" / "SECRET_KEY").unlink()
    with pytest.raises(CommandError, match="SECRET_KEY is missing"):
        call_command("restore", backup)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "db.sqlite3"),
            "No space left on device: db.sqlite3",
        ),
        (sqlite3.OperationalError("database or disk is full"), "The database: database or disk is full"),
        (OperationalError("server closed the connection"), "The database: server closed the connection"),
        (ReadTimeoutError(endpoint_url="http://store"), "The storage: ReadTimeoutError"),
    ],
)
def test_what_fails_around_a_backup_is_a_sentence(
    backup: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, sentence: str
) -> None:
    monkeypatch.setattr("config.backup.database.is_empty", lambda: True)
    for step in ("config.backup.files.mirror", "config.backup.files.put_back"):
        monkeypatch.setattr(step, Mock(side_effect=failure))
    for command, again in (("restore", "with --replace"), ("backup", "Run the command again")):
        with pytest.raises(CommandError, match=rf"{sentence}\. The {command} is not complete.*{again}"):
            call_command(command, backup)


def test_who_could_not_be_asked_what_is_here_is_not_sent_to_replace_it(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = OperationalError("connection refused")
    monkeypatch.setattr("config.backup.database.is_empty", Mock(side_effect=failure))
    with pytest.raises(CommandError, match=r"connection refused\. Nothing was restored") as refusal:
        call_command("restore", backup)
    assert "--replace" not in str(refusal.value)


def test_a_file_in_the_place_of_a_folder_is_named(transactional_db: None, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(CommandError, match=r"Not a directory: .*letter"):
        call_command("backup", tmp_path / "letter")


def test_a_folder_with_other_things_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("dear")
    with pytest.raises(CommandError, match="does not contain a backup"):
        call_command("backup", tmp_path / "letters")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["one.txt"]
