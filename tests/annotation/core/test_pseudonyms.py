"""Names of one export: stable in it, of no use in another, and nobody's key."""

from uuid import uuid4

from annotation.core.formats.pseudonyms import pseudonyms


def test_the_same_id_has_one_name_in_an_export_and_another_in_the_next() -> None:
    who, other = uuid4(), uuid4()
    one, two = pseudonyms(b"one"), pseudonyms(b"two")
    assert one(who) == one(who) == pseudonyms(b"one")(who)
    assert len({one(who), one(other), two(who), two(other)}) == 4
    assert who.hex[:8] not in one(who) and len(one(who)) == 16
    assert one(None) == ""
