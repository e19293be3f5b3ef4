"""Failed log-ins in the log: which account, and not from where."""

from typing import Any

import structlog
from axes.signals import user_locked_out
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_login_failed

log = structlog.get_logger("closer.login")


def note_failure(credentials: dict[str, Any], **_: object) -> None:
    """A log-in failed. A name that no account has is not logged: it may be a password in the wrong field."""
    name = str(credentials.get("username", ""))[:150]
    known = get_user_model()._default_manager.filter(username=name).exists()
    log.warning("log-in failed", account=name if known else "unknown")


def note_lockout(username: str | None, **_: object) -> None:
    """Too many failures: the account is closed to that client for a while."""
    known = get_user_model()._default_manager.filter(username=username).exists()
    log.warning("log-in locked", account=username if known else "unknown")


def connect() -> None:
    """Listen to Django and axes."""
    user_login_failed.connect(note_failure, dispatch_uid="closer-login-failed")
    user_locked_out.connect(note_lockout, dispatch_uid="closer-login-locked")
