"""Addresses that people go back to, with the code that their panel pays for: parsed, never searched as text."""

import re
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

# What panels call the code in a query; Prolific's comes first, other panels take the second.
CODE_NAMES = ("cc", "code")
# The same in the words of other panels, without capitals, hyphens and underscores.
_ALSO = {*CODE_NAMES, "completioncode", "surveycode"}


def address_problem(address: str) -> str:
    """Why people cannot be sent to an address, as the end of a sentence about it; "" for a whole one."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # half an IPv6 address, or a port that is none
        return "has a host or port that cannot be read."
    if not host or port == 0:
        return "names no host."
    if re.search(r"[\s\x00-\x1f\x7f<>\"\\]", address):
        return "contains a blank or another character that addresses do not have."
    if "@" in parts.netloc:
        return "contains a user name. Participants would see it; remove it."
    return ""


def with_code(address: str, code: str, *, prolific: bool) -> str:
    """The address with the code in its query, once, in place of any other; as it is where one of both is missing.

    It stays as it is, too, where its fragment names the code: the page there reads it itself.
    """
    if not address or not code:
        return address
    parts = urlsplit(address)
    if code in _codes(_query_of_fragment(parts)):
        return address
    # What is not the code stays letter by letter: decoded and encoded again, %E9 would be another letter.
    fields = [field for field in parts.query.split("&") if field]
    codes = [field for field in fields if _codes(field)]
    named = parse_qsl(codes[0], keep_blank_values=True)[0][0] if codes else CODE_NAMES[0 if prolific else 1]
    kept = [field for field in fields if field not in codes]
    return urlunsplit(parts._replace(query="&".join([*kept, urlencode({named: code})])))


def other_codes(address: str, code: str) -> list[str]:
    """The codes in the address that are not `code`, or all but one where `code` is empty; blank ones are none."""
    parts = urlsplit(address)
    values = [value for value in _codes(parts.query) + _codes(_query_of_fragment(parts)) if value]
    return [value for value in values if value != code] if code else values[1:]


def _codes(query: str) -> list[str]:
    return [value for name, value in parse_qsl(query, keep_blank_values=True) if _names_a_code(name)]


def _names_a_code(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "") in _ALSO


def _query_of_fragment(parts: SplitResult) -> str:
    """What stands after # as a query, as in #cc=A or #/done?cc=A."""
    return parts.fragment.rpartition("?")[2]
