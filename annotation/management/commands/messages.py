"""Brings the catalogues of translations up to date with the code, and compiles them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.core.languages import LANGUAGES
from annotation.languages import DOMAINS


class Command(BaseCommand):
    """`manage.py messages`, for whoever changes a text of the pages for annotators."""

    help = "Update annotation/locale from the texts in the code, and list texts without a translation."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to write."""
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail if a file is not up to date"
        )

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        """Writes or compares each file, then reports what is missing."""
        try:
            from annotation.management import catalogues
        except ModuleNotFoundError as error:
            raise CommandError(
                "This requires Babel: install Closer with the extra dev (make install)."
            ) from error
        stale, missing, faults = [], [], []
        for language in LANGUAGES:
            for domain in DOMAINS:
                catalogue = catalogues.read_catalogue(language, domain)
                missing += [f"{language}: {text}" for text in catalogues.missing_in(catalogue)]
                faults += [f"{language}: {text}" for text in catalogues.faults_of(catalogue)]
                for kind, content in (
                    ("po", catalogues.to_po(catalogue)),
                    ("mo", catalogues.to_mo(catalogue)),
                ):
                    path = catalogues.catalogue_path(language, domain, kind)
                    if path.exists() and path.read_bytes() == content:
                        continue
                    stale.append(str(path.relative_to(catalogues.ROOT)))
                    if not check:
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(content)
        for title, lines in (("Not translated", missing), ("Placeholders differ from the text", faults)):
            for line in lines:
                self.stdout.write(f"{title}: {line}")
        if faults or missing or (check and stale):
            raise CommandError(
                f"{len(missing)} texts lack a translation, {len(faults)} have different placeholders, "
                f"{len(stale)} files were not up to date. Edit annotation/locale/**/*.po, then run `make messages`."
            )
        self.stdout.write(f"{len(stale)} files written; every text is translated.")
