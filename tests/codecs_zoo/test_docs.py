"""The page about codecs names each of them, with what it can be asked for."""

from pathlib import Path

import pytest

from codecs_zoo import registry
from codecs_zoo.contract import Codec

PAGE = (Path(__file__).parents[2] / "docs" / "codecs.md").read_text()


@pytest.mark.parametrize("codec", registry.codecs(), ids=lambda codec: codec.name)
def test_every_codec_has_its_section(codec: Codec) -> None:
    _, result, rest = PAGE.partition(f"\n### `{codec.name}`\n")
    assert result, f"docs/codecs.md has no section for {codec.name}"
    section = rest.split("\n### ")[0].split("\n## ")[0]
    for word in (codec.knob.name, *codec.options, codec.licence):
        assert word in section, f"the section of {codec.name} does not mention {word}"
