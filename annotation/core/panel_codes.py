"""Codes with which people collect a panel's payment: for those who run the study, never published."""

from collections.abc import Mapping
from typing import Any

PANEL_CODES = ("completion_code", "completion_url", "screen_out_code", "screen_out_url")


def without_panel_codes(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """The rules of a protocol without the codes and the addresses, which hold the codes."""
    return {name: value for name, value in protocol.items() if name not in PANEL_CODES}
