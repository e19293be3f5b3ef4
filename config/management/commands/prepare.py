"""Makes an installation ready: `python manage.py prepare`. Run it before the first start and at each upgrade."""

import os
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config import checks


class Command(BaseCommand):
    """Checks what Closer stands on, brings the tables up to date, makes the first account."""

    help = (
        "Check database, storage and broker, run the migrations, and create the first researcher's "
        "account from FIRST_ACCOUNT_NAME and FIRST_ACCOUNT_PASSWORD if there is none. Safe to run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for check in (checks.check_database(), checks.check_storage_by_writing(), checks.check_broker()):
            if check.problem:
                raise CommandError(f"{check.name}: {check.problem}")
            self.stdout.write(f"{check.name}: ready")
        call_command("migrate", verbosity=options["verbosity"], interactive=False)
        self.stdout.write(make_first_account())


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
