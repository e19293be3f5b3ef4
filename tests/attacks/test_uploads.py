"""Files and words that are not what they say."""

import io
import struct
import zipfile
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from annotation.errors import Refused
from annotation.models import Source, Study
from annotation.services.studies import check_bpps
from tests.kit.factories import make_png, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Study:
    return make_study(state=Study.State.DRAFT)


def upload(client: Client, study: Study, *files: tuple[str, bytes], **words: str) -> int:
    sent = [SimpleUploadedFile(name, content, "image/png") for name, content in files]
    return client.post(f"/studies/{study.slug}/setup/stimuli/", {"photographs": sent, **words}).status_code


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with_header(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes with a header of its own."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def png_with_profile(size: int) -> bytes:
    """A photograph whose colour profile is `size` zeros, packed into almost nothing."""
    photograph = make_png()
    end_of_header = 8 + 25
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(size), 9))
    return photograph[:end_of_header] + profile + photograph[end_of_header:]


def cmyk() -> bytes:
    buffer = io.BytesIO()
    Image.new("CMYK", (80, 80)).save(buffer, "JPEG")
    return buffer.getvalue()


BAD = {
    "nothing": b"",
    "a page": b"<html><script>alert(1)</script>",
    "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "an archive": b"PK\x03\x04" + bytes(100),
    "65 megapixels": png_with_header(65_000, 1000),
    "4 exapixels": png_with_header(2**31 - 1, 2**31 - 1),
    "half a file": make_png()[:2000],
    "a profile that is a bomb": png_with_profile(50_000_000),
    "a profile that is none": png_with_profile(100),
    "for print": cmyk(),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_what_is_no_photograph(owner_client: Client, draft: Study, content: bytes) -> None:
    assert upload(owner_client, draft, ("photograph.png", content)) == 400
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "a\0b.png", "..\\..\\x.png", "x" * 400, "<script>.png"]
)
def test_a_name_leads_nowhere(owner_client: Client, draft: Study, name: str) -> None:
    assert upload(owner_client, draft, (name, make_png())) == 302
    source = Source.objects.get()
    assert source.image.name == f"sources/{source.sha256}.png"
    name = source.uses.get().name
    assert "/" not in name and "\0" not in name and len(name) <= 200
    assert "<script>.png" not in owner_client.get(f"/studies/{draft.slug}/").text


@pytest.mark.parametrize("words", [{"licence": "x" * 201}, {"attribution": "y" * 501}, {"licence": "a\0b"}])
def test_words_that_no_column_holds(owner_client: Client, draft: Study, words: dict[str, str]) -> None:
    assert upload(owner_client, draft, ("photograph.png", make_png()), **words) == 400
    assert not Source.objects.exists()


def test_many_files_at_once(owner_client: Client, draft: Study) -> None:
    files = [(f"{number}.png", make_png(number, width=64, height=64)) for number in range(120)]
    assert upload(owner_client, draft, *files) == 302
    assert draft.sources.count() == 120


@pytest.mark.parametrize("rates", [[0.37, 0.37001], [float("nan")], [float("inf")], [-1.0], []])
def test_bitrates_that_are_none_or_the_same(rates: list[float]) -> None:
    with pytest.raises(Refused, match="bitrates"):
        check_bpps(rates)


ORIGINAL, METHOD = ("a/original.png", 1), ("a/mine@1.png", 2)
BAD_NAMES = {
    "a name that is too long": [("a/" + "x" * 300 + "@1.png", 3)],
    "a path that is too long": [("/".join(["d" * 200] * 30) + "/x@1.png", 3)],
    "a file where a folder is": [("a", 3)],
    "a folder where a file is": [("a/original.png/mine@2.png", 3)],
    "one path twice": [("a/mine@1.png", 3)],
    "no name": [("", 3)],
    "outside": [("../mine@2.png", 3)],
}


@pytest.mark.parametrize("more", BAD_NAMES.values(), ids=BAD_NAMES.keys())
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("way", ["zip", "folder"])
def test_own_pictures_whose_paths_no_folder_can_hold(
    owner_client: Client, draft: Study, more: list[tuple[str, int]], way: str
) -> None:
    pictures = [(path, make_png(seed)) for path, seed in [ORIGINAL, METHOD, *more]]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for path, content in pictures:
            package.writestr(zipfile.ZipInfo(path), content)
    whole = [SimpleUploadedFile("night.zip", archive.getvalue())]
    files = [SimpleUploadedFile("picture.png", content) for _, content in pictures]
    fields = (
        {"pictures": files, "paths": [path for path, _ in pictures]}
        if way == "folder"
        else {"pictures": whole}
    )
    answer = owner_client.post(f"/studies/{draft.slug}/setup/stimuli/", fields)
    assert answer.status_code == 400
    assert not draft.own_pictures.exists() and not Source.objects.exists()
