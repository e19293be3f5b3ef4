"""Makes an installation ready: `python manage.py prepare`. Run it before the first start and at each upgrade."""

import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config import checks
from config.run.broker import embedded_url


class Command(BaseCommand):
    """Checks what Closer stands on, brings tables and static files up to date, makes the first account."""

    help = (
        "Check database, storage and broker, run the migrations, collect the static files unless STATIC_DIR "
        "names their folder, and create the first researcher's account from FIRST_ACCOUNT_NAME and "
        "FIRST_ACCOUNT_PASSWORD if there is none. Safe to run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for check in needed_checks():
            if check.problem:
                raise CommandError(f"{check.name}: {check.problem}")
            self.stdout.write(f"{check.name}: ready")
        if embedded_broker():
            self.stdout.write("broker: embedded; the supervisor starts it")
        call_command("migrate", verbosity=options["verbosity"], interactive=False)
        self.stdout.write(collect_static_files())
        self.stdout.write(make_first_account())


def needed_checks() -> Iterator[checks.Check]:
    """Database and storage, and the broker if it is a separate server."""
    yield checks.check_database()
    yield checks.check_storage_by_writing()
    if not embedded_broker():
        yield checks.check_broker()


def embedded_broker() -> bool:
    """Whether the broker is the one that the supervisor starts, which need not run yet."""
    return bool(embedded_url(settings.VAR_DIR) == settings.REDIS_URL)


def collect_static_files() -> str:
    """Collect them into VAR_DIR; a STATIC_DIR is filled when an image is built. Returns what was done."""
    if settings.DEBUG:
        return "static files: not collected; with DEBUG they are served from their folders"
    if settings.STATIC_ROOT != settings.VAR_DIR / "static":
        return f"static files: {checks.check_static_files().problem or 'ready'}"
    call_command("collectstatic", verbosity=0, interactive=False)
    return "static files: collected"


def make_first_account() -> str:
    """The account that the environment names, unless there is a researcher already; returns what was done."""
    if User.objects.filter(is_staff=True, is_active=True).exists():
        return "account: exists"
    name, password = os.environ.get("FIRST_ACCOUNT_NAME", ""), os.environ.get("FIRST_ACCOUNT_PASSWORD", "")
    if not name and not password:
        return (
            "account: none yet. Set FIRST_ACCOUNT_NAME and FIRST_ACCOUNT_PASSWORD, or run: manage.py "
            "createsuperuser"
        )
    try:
        user = User(username=name, is_staff=True, is_superuser=True)
        user.set_password(password)
        user.full_clean()
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(
            f"FIRST_ACCOUNT_NAME and FIRST_ACCOUNT_PASSWORD: {' '.join(error.messages)}"
        ) from error
    user.save()
    return f"account: {name} was created. Remove FIRST_ACCOUNT_PASSWORD from the environment."
