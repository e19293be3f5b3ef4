"""The study of the paper: six codecs that can run here, at its four rates, compared within a rate and ranked."""

import pytest

from annotation.core.protocol import Protocol
from codecs_zoo import registry
from codecs_zoo.contract import Availability
from config.run.embedded import paper_rules

pytestmark = pytest.mark.django_db


def test_six_codecs_at_the_papers_rates() -> None:
    rules = paper_rules()
    assert rules["target_bpps"] == [0.23, 0.37, 0.67, 1.0]
    assert len(set(rules["codecs"])) == 6 and "checkerboard-perceptual" in rules["codecs"]
    assert all(registry.get(name).availability().available for name in rules["codecs"])
    assert Protocol.from_json(rules["protocol"]).allocation == "ranking"


@pytest.mark.parametrize(("installed", "expected"), [(True, "hevc-intra"), (False, "jpegxl")])
def test_a_permissive_neighbour_where_the_extra_is_missing(
    monkeypatch: pytest.MonkeyPatch, installed: bool, expected: str
) -> None:
    monkeypatch.setattr(registry.get("hevc-intra"), "availability", lambda: Availability(installed))
    assert paper_rules()["codecs"][3] == expected
