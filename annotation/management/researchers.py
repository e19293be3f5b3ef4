"""The researcher that a command names."""

from django.contrib.auth.models import User
from django.core.management.base import CommandError


def researcher(name: str | None) -> User | None:
    """The active user of that name; None where no name was given. Raises CommandError for an unknown one."""
    if not name:
        return None
    try:
        return User.objects.get(username=name, is_active=True)
    except User.DoesNotExist as error:
        raise CommandError(f"There is no researcher named {name!r}.") from error
