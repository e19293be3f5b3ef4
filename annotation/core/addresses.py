"""Addresses that people go back to, with the code that their panel pays for: parsed, never searched as text."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# What panels call the code in a query; Prolific's comes first, other panels take the second.
CODE_NAMES = ("cc", "code")


def with_code(address: str, code: str, *, prolific: bool) -> str:
    """The address with the code in its query, once, in place of any other; as it is where one of both is missing."""
    if not address or not code:
        return address
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True)
    named = next((name for name, _ in query if name in CODE_NAMES), CODE_NAMES[0 if prolific else 1])
    kept = [(name, value) for name, value in query if name not in CODE_NAMES]
    return urlunsplit(parts._replace(query=urlencode([*kept, (named, code)])))


def other_codes(address: str, code: str) -> list[str]:
    """The codes in the address that are not `code`, or all of them where `code` is empty; several are several."""
    values = [
        value
        for name, value in parse_qsl(urlsplit(address).query, keep_blank_values=True)
        if name in CODE_NAMES
    ]
    return [value for value in values if value != code] if code else values[1:]
