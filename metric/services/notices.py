"""News of training that somebody should hear of: always in the log, and by mail where ADMINS are set."""

import smtplib

import structlog
from django.core.mail import mail_admins

log = structlog.get_logger(__name__)


def notify_admins(*, event: str, subject: str, message: str, run: int) -> None:
    """Logs `event` and mails the admins. A mail server that is away is logged too, and stops nothing."""
    log.info(event, run=run, message=message)
    try:
        mail_admins(subject, message)
    except (smtplib.SMTPException, OSError) as error:
        log.error("the e-mail was not sent", run=run, subject=subject, error=str(error))
