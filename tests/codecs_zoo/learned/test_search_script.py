"""Points that an interrupted benchmark of the search goes on with are those of the same crop, target and figures."""

from pathlib import Path

import pytest

from benchmarks.search import Points
from codecs_zoo import registry
from codecs_zoo.quality import figures
from tests.kit.pictures import make_picture


def test_only_the_same_encode_is_not_made_again(tmp_path: Path) -> None:
    scene, codec, out = make_picture(64, 64), registry.get("jpeg"), tmp_path / "search.jsonl"
    first = Points(out, figures(["psnr"])).point("one", scene, codec, 50)
    again = Points(out, figures(["psnr"]))
    assert again.point("one", scene, codec, 50) == first
    aimed = again.point("one", scene, codec, 50, 1.5 * first.bpp)
    assert aimed.bpp == pytest.approx(1.5 * first.bpp, rel=0.1)
    assert again.point("one", scene[:48, :48], codec, 50).pixels == 48 * 48
    assert len(again.known) == 3
    assert set(Points(out, figures(["ssim"])).point("one", scene, codec, 50).figures) == {"ssim"}
