"""Numbers from names: frozen, for splits, orders and checks of running studies hang on them."""

import pytest

from psychometrics.draws import place, uniform, whole

# sha256 of "abc", as FIPS 180-2 prints it, begins like this.
ABC = 0xBA7816BF8F01CFEA


def test_they_are_the_first_bytes_of_the_sha256() -> None:
    assert whole("abc") == ABC
    assert place("abc") == ABC // 2
    assert uniform("abc") == ABC / 2**64


@pytest.mark.parametrize("name", ["", "ä", "a:b:3"])
def test_a_place_fits_a_database_and_a_uniform_number_is_below_one(name: str) -> None:
    assert 0 <= place(name) < 2**63
    assert 0 <= uniform(name) < 1
