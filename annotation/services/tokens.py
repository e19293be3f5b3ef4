"""Tokens with which researchers' programs call the API; a secret is shown once, its hash is stored."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from annotation.errors import Refused
from annotation.models import AccessToken
from annotation.models.members import LONGEST_TOKEN_DAYS

USUAL_TOKEN_DAYS = 30


def make_token(*, user: User, name: str = "", days: int = USUAL_TOKEN_DAYS) -> tuple[AccessToken, str]:
    """A token and its secret, which is shown only once. Raises Refused for an end that is too late."""
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise Refused(f"A token must last between 1 and {LONGEST_TOKEN_DAYS} days.")
    secret = secrets.token_hex(20)
    ends_at = timezone.now() + timedelta(days=days)
    name = name.strip()[:100] or "token"
    token = AccessToken.objects.create(user=user, name=name, sha256=hash_secret(secret), ends_at=ends_at)
    return token, secret


def hash_secret(secret: str) -> str:
    """The stored hash of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def revoke_token(*, user: User, pk: int) -> None:
    """Ends one of the researcher's tokens at once. Raises Refused where there is none."""
    if not AccessToken.objects.filter(user=user, pk=pk).delete()[0]:
        raise Refused("This token was already revoked.")
