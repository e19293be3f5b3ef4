"""The key that signs sessions and tokens."""

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def secret_key(value: str, *, debug: bool, folder: Path) -> str:
    """SECRET_KEY; where it is empty and for development alone, one made at random and kept in `folder`."""
    if value:
        return value
    if not debug:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. With DEBUG off Closer needs one: "
            "SECRET_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(50))')"
        )
    kept = folder / "development-secret-key"
    if not kept.exists():
        kept.write_text(secrets.token_urlsafe(50))
        kept.chmod(0o600)
    return kept.read_text()
