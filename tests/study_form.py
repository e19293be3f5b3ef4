"""What a browser sends for a new study, in tests of its form."""

from typing import Any

from annotation.core.protocol import Protocol

STUDY_FORM: dict[str, Any] = {
    "name": "Autumn leaves",
    "question": "Which is closer to the original?",
    "instructions": "Look closely.",
    "codecs": ["jpeg", "webp"],
    "target_bpps": "0.67, 0.23",
    "votes_per_triplet": 3,
    "pairs_per_session": 40,
    "min_view_ms": 500,
    "max_width": 400,
    "max_height": 560,
    "surround": "#4d4d4d",
    "lease_seconds": 900,
    # A browser sends no unticked box and every other rule.
    **{name: value for name, value in Protocol.bare().to_json().items() if value is not False},
}
