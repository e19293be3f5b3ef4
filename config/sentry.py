"""Errors to Sentry, where SENTRY_DSN names one: where they happened, and nothing that a person sent or a key was in."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured


def report_to_sentry(dsn: str, *, environment: str) -> None:
    """Send errors of this process to the Sentry at `dsn`. Personal data are off by the package's default.

    Raises:
        ImproperlyConfigured: the extra `sentry` is not installed, or the address is not one.
    """
    try:
        import sentry_sdk
    except ImportError as error:
        raise ImproperlyConfigured("SENTRY_DSN is set, which requires the extra `sentry`.") from error
    try:
        sentry_sdk.init(
            dsn=dsn,
            environment=environment,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            before_send=without_the_request,
        )
    except sentry_sdk.utils.BadDsn as error:
        raise ImproperlyConfigured("SENTRY_DSN is not a valid Sentry DSN.") from error


def without_the_request(event: Any, hint: dict[str, Any]) -> Any:
    """The event without addresses, headers, cookies and people: keys of sessions are in all of them."""
    request = event.pop("request", None)
    if request and "method" in request:
        event["request"] = {"method": request["method"]}
    event.pop("user", None)
    event.pop("server_name", None)
    return event
