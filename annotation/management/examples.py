"""What our commands with several arguments share: examples at the end of their help, line for line."""

from argparse import RawDescriptionHelpFormatter
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from annotation.management.migrated import CommandOnMigrated


class CommandWithExamples(CommandOnMigrated):
    """A command whose help ends with `examples`, one a line; `about` stands before them."""

    about: ClassVar[str] = ""
    examples: ClassVar[tuple[str, ...]]

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(*args, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        about = f"{self.about}\n\n" if self.about else ""
        parser.epilog = about + "\n".join(["examples:", *(f"  manage.py {one}" for one in self.examples)])
        return parser
