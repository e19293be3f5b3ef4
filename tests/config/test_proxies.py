"""Behind declared proxies the client's own address counts; what a client claims about itself never does."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from config.proxies import client_address, networks_from, real_client

TRUSTED = networks_from(["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.5", "203.0.113.5"),  # the client invented the first
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", "203.0.113.5"),  # two proxies
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # not a proxy
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.9", "10.0.0.9"),  # a client inside
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("", "203.0.113.5", ""),
    ],
)
def test_the_nearest_address_that_is_no_proxys(peer: str, forwarded: str, client: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == client


def test_views_see_the_clients_address(settings: object) -> None:
    settings.TRUSTED_PROXIES = TRUSTED  # type: ignore[attr-defined]
    request = HttpRequest()
    request.META |= {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.5"}
    real_client(lambda request: HttpResponse())(request)
    assert request.META["REMOTE_ADDR"] == "203.0.113.5"


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"TRUSTED_PROXIES: .*10.0.0.0/8,192"):
        networks_from(["nginx"])
