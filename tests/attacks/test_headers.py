"""The policy that every answer carries."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_celery_beat.models import CrontabSchedule, PeriodicTask

pytestmark = pytest.mark.django_db


def policy_of(client: Client, path: str) -> str:
    return client.get(path).headers["Content-Security-Policy"]


def test_no_inline_script_and_trusted_types(client: Client) -> None:
    for path in ("/", "/login/", "/nowhere/", "/api/v1/studies/", "/judge/nobody/"):
        policy = policy_of(client, path)
        assert "script-src 'self'" in policy and "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy


def test_the_admin_may_use_its_jquery(owner_client: Client) -> None:
    policy = policy_of(owner_client, "/admin/")
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert "trusted-types" not in policy


def test_the_clocks_form_has_no_script_that_the_policy_refuses(owner_client: Client) -> None:
    crontab = CrontabSchedule.objects.create(hour="3", minute="17")
    task = PeriodicTask.objects.create(name="nightly", task="annotation.tasks.reap", crontab=crontab)
    User.objects.update(is_superuser=True)
    page = owner_client.get(f"/admin/django_celery_beat/periodictask/{task.pk}/change/")
    assert page.status_code == 200
    assert not [
        tag for tag in re.findall(r"<script[^>]*>", page.text) if "src=" not in tag and "json" not in tag
    ]
