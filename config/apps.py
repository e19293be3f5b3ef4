"""The app that holds the commands of an operator, and listens to log-ins."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """No models."""

    name = "config"

    def ready(self) -> None:
        """Connect what listens."""
        from config.logins import connect

        connect()
