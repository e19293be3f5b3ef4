"""Finding codecs by being there, and failing loudly."""

import subprocess
import sys

import pytest

from codecs_zoo import classical, registry
from codecs_zoo.classical.jpeg import Jpeg


def test_the_default_codecs_are_found_by_their_folder() -> None:
    assert {"avif", "jpeg", "jpeg2000", "jpegxl", "webp"} <= set(registry.names())
    assert [codec.name for codec in registry.codecs()] == registry.names()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"There is no codec named 'jpg'\. Known: avif, .*jpeg, "):
        registry.get("jpg")


def test_a_second_codec_of_the_same_name_is_refused() -> None:
    class Impostor(Jpeg):
        pass

    with pytest.raises(ValueError, match=r"the name 'jpeg': codecs_zoo\.classical\.jpeg and tests\."):
        registry.register(Impostor)
    assert type(registry.get("jpeg")) is Jpeg


def test_a_module_that_cannot_be_imported_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("more")
    (folder / "broken.py").write_text("import a_library_that_nobody_wrote\n")
    monkeypatch.setattr(classical, "__path__", [*classical.__path__, str(folder)])
    with pytest.raises(ModuleNotFoundError, match="a_library_that_nobody_wrote"):
        registry._discover.__wrapped__()


def test_importing_and_listing_loads_nothing_heavy() -> None:
    code = (
        "import sys; from codecs_zoo import measure, rate, registry; from imaging import pictures; registry.names();"
        "print([name for name in ('torch', 'imagecodecs', 'scipy', 'django') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
