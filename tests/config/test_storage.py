"""STORAGE_URL: what it means, what it refuses, and the whole way of a photograph through a real bucket."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.test import Client
from pytest_django import Settings

from annotation.core.formats.manifest import read_manifest
from annotation.core.protocol import Protocol
from annotation.services.encoding import encode_reconstruction, read_pixels
from annotation.services.snapshots import build_snapshot, request_snapshot, unpack_snapshot
from annotation.services.sources import add_source
from annotation.services.studies import create_study, open_study
from annotation.transient import is_transient
from config import bucket as store
from config.checks import check_storage
from config.storage import WholeFiles, storage_from_url
from imaging.pixels import pixels_sha256
from imaging.png import decode_png
from tests.kit.factories import make_assignment, make_judged_study, make_pixels, make_png, make_session


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://key:secret@host",
        "s3://key:secret@host/bucket/folder",
        "https://host/bucket",
        "gs:///bucket",
        "/srv/files",
    ],
)
def test_what_names_no_bucket_is_refused_without_repeating_the_secret(url: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="use s3://KEY:SECRET@HOST/BUCKET") as refusal:
        storage_from_url(url, tmp_path)
    assert "secret" not in str(refusal.value)


def test_nothing_named_is_a_folder_without_public_addresses(tmp_path: Path) -> None:
    options = storage_from_url("", tmp_path)["OPTIONS"]
    assert options == {"location": tmp_path, "base_url": None}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3:///photos", {"bucket_name": "photos"}),
        (
            "s3://AK%2FID:se%2Bcret%40@store.example.org:9000/photos?region=eu-1",
            {
                "bucket_name": "photos",
                "access_key": "AK/ID",
                "secret_key": "se+cret@",
                "endpoint_url": "https://store.example.org:9000",
                "region_name": "eu-1",
            },
        ),
        (
            "s3://k:s@localhost:9000/photos?insecure=1",
            {
                "bucket_name": "photos",
                "access_key": "k",
                "secret_key": "s",
                "endpoint_url": "http://localhost:9000",
            },
        ),
    ],
)
def test_a_bucket_is_named_by_one_address(url: str, expected: dict[str, str], tmp_path: Path) -> None:
    options = storage_from_url(url, tmp_path)["OPTIONS"]
    own = ("default_acl", "file_overwrite", "querystring_auth")
    assert {name: value for name, value in options.items() if name not in own} == expected
    assert options["default_acl"] is None and options["querystring_auth"]  # nothing is public


@pytest.fixture
def bucket(s3_url: str, settings: Settings, tmp_path: Path) -> Path:
    """Files go to the bucket; returns the folder where there must then be none."""
    settings.STORAGES = {**settings.STORAGES, "default": storage_from_url(s3_url, tmp_path / "files")}
    return tmp_path / "files"


@pytest.mark.django_db
def test_a_photograph_is_kept_encoded_and_shown_from_the_bucket(bucket: Path, client: Client) -> None:
    study = create_study(
        name="In a bucket", codecs=["jpeg", "webp"], target_bpps=[1.5], protocol=Protocol.bare().to_json()
    )
    source = add_source(study=study, file=make_png(1), name="photograph")
    assert default_storage.exists(f"sources/{source.sha256}.png")
    assert [encode_reconstruction(pk=pk) for pk in open_study(study=study)] == ["done", "done"]
    assignment = make_assignment(make_session(study))
    for slot, shown in {"left": assignment.left, "original": source, "right": assignment.right}.items():
        response = client.get(f"/api/v1/assignments/{assignment.pk}/{slot}.png")
        assert pixels_sha256(decode_png(b"".join(response))) == shown.sha256
    assert (read_pixels(source.image) == make_pixels(1)).all()
    assert not bucket.exists()


@pytest.mark.django_db
def test_a_snapshot_goes_to_the_bucket_and_comes_back_whole(bucket: Path, tmp_path: Path) -> None:
    snapshot = request_snapshot(study=make_judged_study(people=6))
    assert build_snapshot(pk=snapshot.pk) == "done"
    snapshot.refresh_from_db()
    folder = unpack_snapshot(snapshot=snapshot, folder=tmp_path / "snapshot")
    assert read_manifest(folder)["sha256"] == snapshot.sha256
    assert not bucket.exists()


def test_an_absent_file_has_no_time_in_a_bucket_either(bucket: Path) -> None:
    with pytest.raises(FileNotFoundError):
        default_storage.get_modified_time("shown/ab/absent.png")


def test_addresses_are_signed_as_every_region_accepts(bucket: Path) -> None:
    assert "X-Amz-Signature=" in default_storage.url("shown/ab/cd.png")


@contextmanager
def silent_bucket() -> Iterator[store.BucketStorage]:
    """A bucket whose server takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        keys = {"access_key": "k", "secret_key": "s", "region_name": "eu-1"}
        yield store.BucketStorage(bucket_name="photos", endpoint_url=address, **keys)


def test_a_stalled_bucket_is_given_up_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "READ_WITHIN_S", 0.1)
    monkeypatch.setattr(store, "TRIES", 1)
    with silent_bucket() as storage, pytest.raises(Exception, match="Read timeout") as caught:
        storage.read_whole("picture.png")
    assert is_transient(caught.value)


def test_the_probe_of_a_stalled_bucket_ends_before_a_load_balancer_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """/readyz took twenty seconds to say that the bucket was silent; nobody waits so long."""
    assert store.PROBE_TRIES * (store.PROBE_WITHIN_S + store.CONNECT_WITHIN_S) <= 5
    monkeypatch.setattr(store, "PROBE_WITHIN_S", 0.1)
    with silent_bucket() as storage:
        monkeypatch.setitem(storages._storages, "default", storage)
        check = check_storage()
    assert "ReadTimeoutError" in check.problem


class Disk(ContentFile):  # type: ignore[type-arg]
    """Content of which the disk takes a part only."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The first half, and then no more."""
        yield b"half"
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_up_leaves_no_half_file(tmp_path: Path) -> None:
    storage = WholeFiles(tmp_path, base_url=None)
    with pytest.raises(OSError, match="No space"):
        storage.save("sources/a.png", Disk(b"half and half"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert storage.save("sources/a.png", ContentFile(b"whole")) == "sources/a.png"
    other = storage.save("sources/a.png", ContentFile(b"another"))
    assert [Path(storage.path(name)).read_bytes() for name in ("sources/a.png", other)] == [
        b"whole",
        b"another",
    ]
    assert len(list(tmp_path.rglob("*.*"))) == 2


def test_of_two_that_save_one_name_at_once_each_has_a_file(tmp_path: Path) -> None:
    storage = WholeFiles(tmp_path, base_url=None)
    names = [storage._save("a.png", ContentFile(content)) for content in (b"first", b"second")]
    assert names[0] == "a.png" != names[1]
    assert [Path(storage.path(name)).read_bytes() for name in names] == [b"first", b"second"]
