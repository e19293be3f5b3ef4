"""What the checks of arrival find: measured and answered values in, passed or not out.

Answers come from a browser, so every function refuses what cannot be with a ScreeningError. What was right follows
from a seed that stays on the server (annotation.core.plates draws from the same one).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class ScreeningError(ValueError):
    """An answer that no page of ours sends."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a check was passed, and what was measured or answered, as plain JSON."""

    passed: bool
    details: Mapping[str, Any] = field(default_factory=dict)
