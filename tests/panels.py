"""People of outside panels in tests: a study for them, and how they come in."""

from typing import Any

from django.test import Client
from django.urls import reverse

from annotation.core.protocol import Protocol
from annotation.models import Session, Study
from tests.kit.factories import make_study, make_triplet

PROLIFIC = {"PROLIFIC_PID": "5f1e2d3c4b5a697887960001", "STUDY_ID": "s1", "SESSION_ID": "t1"}


def panel_study(panel: str = "prolific", *, pairs: int = 1, **rules: Any) -> Study:
    """An open study for people of a panel, with so many pairs."""
    study = make_study(
        protocol=Protocol.bare().replace(panel=panel, completion_code="DONE-1", **rules).to_json()
    )
    for _ in range(pairs):
        make_triplet(study)
    return study


def open_link(client: Client, study: Study, **query: str) -> Any:
    return client.get(reverse("judge", args=[study.key]), query, follow=True)


def come_in(client: Client, study: Study, **query: str) -> Session:
    """Opens the link and says yes to whatever comes first; returns the session."""
    page = open_link(client, study, **query)
    page = client.post(page.context["action"], {"agree": "yes"}, follow=True)
    session: Session = page.context["session"]
    return session
