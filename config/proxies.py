"""Who really asks, where a proxy stands in front: without it every client has the proxy's address."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Respond = Callable[[HttpRequest], HttpResponse]


def networks_from(words: Iterable[str]) -> list[Network]:
    """The networks that TRUSTED_PROXIES lists. Raises ImproperlyConfigured for what is none."""
    try:
        return [ipaddress.ip_network(word.strip()) for word in words if word.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"TRUSTED_PROXIES: {error}. Write 10.0.0.0/8,192.168.1.5, for example."
        ) from error


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The nearest address that is no trusted proxy's.

    Args:
        peer: who is connected.
        forwarded: X-Forwarded-For, to which each proxy adds its peer. What stands further left than the
            first stranger may be invented by that stranger.
    """
    hops = [peer, *(hop.strip() for hop in reversed(forwarded.split(",")) if hop.strip())]
    for nearer, hop in zip(hops, hops[1:], strict=False):
        if not _is_in(nearer, trusted) or not _is_address(hop):
            return nearer
    return hops[-1]


def real_client(get_response: Respond) -> Respond:
    """Writes the client's address into REMOTE_ADDR, behind the proxies that TRUSTED_PROXIES declares."""

    def middleware(request: HttpRequest) -> HttpResponse:
        forwarded = request.headers.get("X-Forwarded-For", "")
        if forwarded:
            peer = request.META.get("REMOTE_ADDR", "")
            request.META["REMOTE_ADDR"] = client_address(peer, forwarded, settings.TRUSTED_PROXIES)
        return get_response(request)

    return middleware


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
