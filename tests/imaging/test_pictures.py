"""What becomes of each kind of file that somebody may bring."""

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from codecs_zoo.contract import Pixels
from imaging.errors import PhotographError
from imaging.pictures import centre_crop, load_photograph
from imaging.pixels import pixels_sha256
from imaging.png import decode_png, encode_png
from tests.kit.claims import chunk, png
from tests.kit.pictures import make_picture


@pytest.fixture(scope="module")
def scene() -> Pixels:
    return make_picture(80, 120)


def saved(picture: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def refusal(content: bytes, **options: Any) -> str:
    with pytest.raises(PhotographError) as caught:
        load_photograph(content, **options)
    return str(caught.value)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_plain_rgb_comes_through_untouched(scene: Pixels, format: str) -> None:
    photograph = load_photograph(saved(Image.fromarray(scene), format))
    assert np.array_equal(photograph.pixels, scene)
    assert photograph.pixels.flags["C_CONTIGUOUS"]
    assert (photograph.width, photograph.height, photograph.notes) == (120, 80, ())


def test_paths_open_files_and_bytes_are_all_read(scene: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "scene.png"
    path.write_bytes(encode_png(scene))
    with path.open("rb") as opened:
        from_opened = load_photograph(opened)
    for photograph in (load_photograph(path), from_opened, load_photograph(path.read_bytes())):
        assert np.array_equal(photograph.pixels, scene)


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_are_read(scene: Pixels, format: str) -> None:
    assert load_photograph(saved(Image.fromarray(scene), format, quality=90)).pixels.shape == scene.shape


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_turned_photograph_is_turned_upright(scene: Pixels, format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photograph = load_photograph(saved(Image.fromarray(scene), format, exif=exif))
    assert photograph.pixels.shape == (120, 80, 3)
    assert "EXIF orientation" in photograph.notes[0]


def test_upside_down_is_noticed_though_the_size_stays(scene: Pixels) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    photograph = load_photograph(saved(Image.fromarray(scene), exif=exif))
    assert np.array_equal(photograph.pixels, scene[::-1, ::-1])
    assert "EXIF orientation" in photograph.notes[0]


def test_grey_is_expanded(scene: Pixels) -> None:
    grey = ImageOps.grayscale(Image.fromarray(scene))
    photograph = load_photograph(saved(grey))
    assert np.array_equal(photograph.pixels[..., 2], np.asarray(grey))
    assert photograph.notes == ("Greyscale: expanded to three equal channels.",)


def test_opaque_alpha_is_dropped(scene: Pixels) -> None:
    photograph = load_photograph(saved(Image.fromarray(scene).convert("RGBA")))
    assert np.array_equal(photograph.pixels, scene)
    assert photograph.notes == ("Its opaque alpha channel was dropped.",)


def test_grey_with_opaque_alpha_tells_both(scene: Pixels) -> None:
    notes = load_photograph(saved(Image.fromarray(scene).convert("LA"))).notes
    assert notes == ("Its opaque alpha channel was dropped.", "Greyscale: expanded to three equal channels.")


def test_a_palette_is_expanded(scene: Pixels) -> None:
    photograph = load_photograph(saved(Image.fromarray(scene).quantize(64)))
    assert photograph.pixels.shape == scene.shape
    assert photograph.notes == ("Its palette was expanded to RGB.",)


def test_a_profile_of_srgb_changes_nothing_and_is_not_noted(scene: Pixels) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photograph = load_photograph(saved(Image.fromarray(scene), icc_profile=profile))
    assert np.array_equal(photograph.pixels, scene)
    assert photograph.notes == ()


def linear_profile() -> bytes:
    """sRGB's profile with its tone curves replaced by gamma 1.0, in place."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = int.from_bytes(profile[128:132], "big")
    for entry in range(132, 132 + 12 * tags, 12):
        if profile[entry : entry + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            offset = int.from_bytes(profile[entry + 4 : entry + 8], "big")
            profile[offset : offset + 12] = b"curv" + bytes(8)
            profile[entry + 8 : entry + 12] = (12).to_bytes(4, "big")
    return bytes(profile)


def test_another_profile_is_applied() -> None:
    """Linear light 0.5 is 188 in sRGB (IEC 61966-2-1: 1.055 * 0.5 ** (1 / 2.4) - 0.055)."""
    flat = Image.new("RGB", (64, 64), (128, 128, 128))
    photograph = load_photograph(saved(flat, icc_profile=linear_profile()))
    assert np.abs(photograph.pixels.astype(int) - 188).max() <= 1


def test_a_broken_profile_is_refused(scene: Pixels) -> None:
    words = refusal(saved(Image.fromarray(scene), icc_profile=b"this is no profile" * 20))
    assert "profile is damaged" in words
    assert "Convert it to sRGB" in words
    longer = bytearray(linear_profile())
    longer[0:4] = (len(longer) + 4).to_bytes(4, "big")
    assert "its end is missing" in refusal(saved(Image.fromarray(scene), icc_profile=bytes(longer)))


def test_a_truncated_file_is_refused(scene: Pixels) -> None:
    for format in ("PNG", "JPEG", "TIFF"):
        content = saved(Image.fromarray(scene), format)
        assert "truncated or damaged" in refusal(content[: len(content) // 2])


def test_a_damaged_comment_is_passed_over_as_browsers_do(scene: Pixels) -> None:
    photograph = load_photograph(png(chunk(b"tEXt", b"Comment\0made by hand", whole=False), pixels=scene))
    assert np.array_equal(photograph.pixels, scene)
    assert photograph.notes == ("Its damaged tEXt chunk was ignored.",)


def test_damaged_pixels_are_called_damaged(scene: Pixels) -> None:
    content = bytearray(encode_png(scene))
    content[-20] ^= 1
    assert "PNG file is truncated or damaged (wrong checksum of IDAT)" in refusal(bytes(content))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_a_file_whose_head_is_damaged_is_called_damaged(scene: Pixels, format: str) -> None:
    content = saved(Image.fromarray(scene), format)
    words = refusal(content[:16] + b"\xff" * 24)
    assert "damaged" in words
    assert "not an image" not in words


def test_no_image_is_refused() -> None:
    for content in (
        b"",
        b"Dear sir or madam, " * 50,
        b"%PDF-1.7\n" + bytes(400),
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ):
        words = refusal(content)
        assert "not an image" in words
        assert "PNG" in words


def huge_png(side: int) -> bytes:
    """A PNG header that claims side x side pixels; the pixels themselves are missing."""
    header = b"IHDR" + side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    chunk = (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunk + bytes([0, 0, 0, 4]) + b"IDAT" + bytes(8)


@pytest.mark.parametrize("side", [8001, 9500, 60000])
def test_more_than_64_megapixels_are_refused_by_the_header_alone(side: int) -> None:
    words = refusal(huge_png(side))
    assert "more than 64 megapixels" in words
    assert "Crop it" in words


def test_the_limit_can_be_lower(scene: Pixels) -> None:
    assert "more than 0.005 megapixels" in refusal(encode_png(scene), max_pixels=5000)


@pytest.mark.parametrize("size", [(63, 200), (200, 63), (1, 1)])
def test_too_small_is_refused(size: tuple[int, int]) -> None:
    words = refusal(saved(Image.new("RGB", size)))
    assert f"is {size[0]} x {size[1]} pixels" in words
    assert "at least 64 x 64" in words


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_refused(scene: Pixels, format: str) -> None:
    assert "CMYK" in refusal(saved(Image.fromarray(scene).convert("CMYK"), format))


def deep_rgb_png() -> bytes:
    """64 x 64 pixels of 16-bit RGB, which Pillow can read but not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
        )

    header = (64).to_bytes(4, "big") * 2 + bytes([16, 2, 0, 0, 0])
    rows = b"".join(b"\0" + bytes(64 * 6) for _ in range(64))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_more_than_8_bits_are_refused(scene: Pixels) -> None:
    grey = Image.fromarray(scene[..., 0].astype(np.uint16) * 257)
    floats = Image.fromarray(scene[..., 0].astype(np.float32))
    for content in (
        saved(grey),
        saved(grey, "TIFF"),
        saved(floats, "TIFF"),
        deep_rgb_png(),
        deep_avif(scene),
    ):
        words = refusal(content)
        assert "more than 8 bits" in words
        assert "8-bit sRGB" in words


def deep_avif(scene: Pixels) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.avif_encode(scene.astype(np.uint16) * 4, bitspersample=10, level=90))


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_several_frames_are_refused(scene: Pixels, format: str) -> None:
    first, second = Image.fromarray(scene), Image.fromarray(scene[::-1])
    content = saved(first, format, save_all=True, append_images=[second])
    assert "several frames" in refusal(content)


def test_the_second_view_in_a_phones_file_is_ignored(scene: Pixels) -> None:
    first, second = Image.fromarray(scene), Image.fromarray(scene[::-1])
    content = saved(first, "MPO", save_all=True, append_images=[second], quality=95)
    photograph = load_photograph(content)
    assert photograph.pixels.shape == scene.shape
    assert "first picture" in photograph.notes[0]


def test_real_transparency_is_refused(scene: Pixels) -> None:
    clear = Image.fromarray(scene).convert("RGBA")
    clear.putpixel((3, 3), (0, 0, 0, 254))
    palette = Image.fromarray(scene).quantize(16)
    for content in (saved(clear), saved(clear.convert("LA")), saved(palette, transparency=3)):
        assert "partly transparent" in refusal(content)
    keyed = Image.new("RGB", (64, 64), (9, 9, 9))
    assert "partly transparent" in refusal(saved(keyed, transparency=(9, 9, 9)))


def test_other_colour_modes_are_refused(scene: Pixels) -> None:
    assert "colour mode is 1" in refusal(saved(Image.fromarray(scene).convert("1")))
    assert "colour mode is LAB" in refusal(saved(Image.new("LAB", (64, 64)), "TIFF"))


def test_png_and_back_is_lossless_and_repeatable(scene: Pixels) -> None:
    content = encode_png(scene)
    assert content == encode_png(scene.copy())
    assert np.array_equal(decode_png(content), scene)
    assert {content[i - 4 : i] for i in range(16, 20)} & {b"IHDR"}
    with pytest.raises(PhotographError, match="not a PNG file, or it is damaged"):
        decode_png(content[:100])
    with pytest.raises(PhotographError, match="not 8-bit RGB"):
        decode_png(saved(Image.new("L", (4, 4))))


def test_the_sha256_knows_pixels_and_shape(scene: Pixels) -> None:
    one = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    # printf '2x2x3\n\0\1\2\3\4\5\6\7\10\11\12\13' | sha256sum
    assert pixels_sha256(one) == "89a462769cb78548baffb4a92db79b098501f64a686430c56eda68baec5e5b8d"
    assert pixels_sha256(one.reshape(1, 4, 3)) != pixels_sha256(one)
    assert pixels_sha256(scene[:, ::-1]) == pixels_sha256(scene[:, ::-1].copy())


def test_a_crop_takes_the_middle(scene: Pixels) -> None:
    crop, box = centre_crop(scene, 100, 51)
    assert box == (10, 14, 100, 51)
    assert np.array_equal(crop, scene[14:65, 10:110])
    assert crop.flags["C_CONTIGUOUS"]
    whole, box = centre_crop(scene, 4000, 4000)
    assert box == (0, 0, 120, 80)
    assert np.array_equal(whole, scene)
