"""The way back to a panel: one code, the right one, wherever the address had another."""

import pytest

from annotation.core.addresses import other_codes, with_code
from annotation.core.protocol import Protocol, ProtocolError
from annotation.errors import Refused
from annotation.services.studies import check_protocol


@pytest.mark.parametrize(
    ("address", "code", "panel", "expected"),
    [
        ("https://p.example/complete", "C1", "prolific", "https://p.example/complete?cc=C1"),
        ("https://p.example/complete", "C1", "other", "https://p.example/complete?code=C1"),
        # The code is a word of the address, which is no code in it.
        ("https://p.example/complete", "complete", "prolific", "https://p.example/complete?cc=complete"),
        ("https://p.example/complete?cc=C1", "C1", "prolific", "https://p.example/complete?cc=C1"),
        ("https://p.example/complete?cc=OLD", "C1", "prolific", "https://p.example/complete?cc=C1"),
        ("https://p.example/complete?cc=OLD&cc=C1", "C1", "prolific", "https://p.example/complete?cc=C1"),
        ("https://p.example/x?cc=OLD&s=7", "C1", "other", "https://p.example/x?s=7&cc=C1"),
        ("https://p.example/x?s=7#top", "C1", "other", "https://p.example/x?s=7&code=C1#top"),
        ("https://p.example/x?cc=C1", "", "prolific", "https://p.example/x?cc=C1"),
        ("https://p.example/x?CC=OLD", "C1", "prolific", "https://p.example/x?CC=C1"),
        ("https://p.example/x?cc=", "C1", "prolific", "https://p.example/x?cc=C1"),
        ("https://p.example/x?survey_code=OLD", "C1", "other", "https://p.example/x?survey_code=C1"),
        ("https://p.example/x?completionCode=OLD", "C1", "other", "https://p.example/x?completionCode=C1"),
        ("https://p.example/#/done?cc=C1", "C1", "prolific", "https://p.example/#/done?cc=C1"),
        ("https://p.example/x?barcode=7", "C1", "other", "https://p.example/x?barcode=7&code=C1"),
        # The other fields stay as they are written.
        (
            "https://p.example/x?n=caf%E9&t=a%20b&flag",
            "C1",
            "other",
            "https://p.example/x?n=caf%E9&t=a%20b&flag&code=C1",
        ),
        (
            "https://p.example/x?next=https://q.example/?cc&s=~",
            "C1",
            "prolific",
            "https://p.example/x?next=https://q.example/?cc&s=~&cc=C1",
        ),
        ("https://p.example/x?%63c=OLD&s=%7E", "C1", "prolific", "https://p.example/x?s=%7E&cc=C1"),
        ("https://p.example/x", "A&B #1", "prolific", "https://p.example/x?cc=A%26B+%231"),
        ("", "C1", "prolific", ""),
    ],
)
def test_the_way_back_has_one_code(address: str, code: str, panel: str, expected: str) -> None:
    assert with_code(address, code, prolific=panel == "prolific") == expected


@pytest.mark.parametrize(
    ("address", "code", "others"),
    [
        ("https://p.example/complete?cc=C1", "C1", []),
        ("https://p.example/complete?cc=C1", "", []),
        ("https://p.example/complete?cc=C1&code=C2", "", ["C2"]),
        ("https://p.example/complete?cc=OLD", "C1", ["OLD"]),
        ("https://p.example/C2?x=C2", "C1", []),
        ("https://p.example/x?CC=OLD", "C1", ["OLD"]),
        ("https://p.example/x?cc=", "C1", []),
        ("https://p.example/x?completion_code=OLD", "C1", ["OLD"]),
        ("https://p.example/#/done?cc=OLD", "C1", ["OLD"]),
        ("https://p.example/x?cc=C1#code=OLD", "C1", ["OLD"]),
        ("https://p.example/x?barcode=7", "C1", []),
    ],
)
def test_another_code_in_the_address_is_seen(address: str, code: str, others: list[str]) -> None:
    assert other_codes(address, code) == others


@pytest.mark.parametrize("kind", ["completion", "screen_out"])
def test_a_contradiction_is_refused_where_it_is_typed_and_read_where_it_is_stored(kind: str) -> None:
    rules = {f"{kind}_url": "https://p.example/complete?cc=OLDCODE", f"{kind}_code": "C1ABCDEF"}
    stored = Protocol.from_json(rules)  # a study from before goes on
    with pytest.raises(ProtocolError, match="OLDCODE") as refused:
        stored.require_consistent()
    assert refused.value.rule == f"{kind}_url"
    with pytest.raises(Refused, match="OLDCODE"):
        check_protocol(rules)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://pan el.example/", "blank"),
        ("https://p.example/a b", "blank"),
        ("https://p.example/\u00a0x", "blank"),
        ("https://", "names no host"),
        ("https:///complete", "names no host"),
        ("https://p.example:0/", "names no host"),
        ("https://p.example:99999/", "host or port"),
        ("https://p.example:x/", "host or port"),
        ("https://[p.example/", "host or port"),
        ("https://ann:secret@p.example/", "user name"),
        ("https://p.example\\@q.example/", "another character"),
    ],
)
def test_what_is_no_address_is_refused_where_it_is_typed(address: str, words: str) -> None:
    for rules in ({"completion_url": address, "completion_code": "C1"}, {"screen_out_url": address}):
        with pytest.raises(Refused, match=words):
            check_protocol(Protocol().replace(**rules).to_json())
        Protocol.from_json(Protocol().replace(**rules).to_json())  # stored ones stay readable


@pytest.mark.parametrize(
    "address",
    ["https://p.example:8443/c?x=1&x=2#top", "https://[::1]/c", "https://m\u00fcnchen.example/\u00fc?q={id}"],
    ids=["port", "IPv6", "other letters"],
)
def test_unusual_addresses_are_taken(address: str) -> None:
    check_protocol(Protocol(completion_url=address, completion_code="C1").to_json())
