"""The policy that every answer carries."""

import pytest
from django.test import Client

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
