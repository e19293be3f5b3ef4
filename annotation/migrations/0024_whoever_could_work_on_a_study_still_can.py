"""Until now every researcher could do everything: whoever could work on a study still can, in a role."""

import hashlib
from datetime import timedelta

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

# Tokens had no end; their holders have this long to make new ones.
OLD_TOKENS_LAST = timedelta(days=90)


def give_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Owners are owners, all other researchers editors of the studies that are there."""
    Study, Membership, User = (
        apps.get_model(*name) for name in (("annotation", "Study"), ("annotation", "Membership"), ("auth", "User"))
    )
    researchers = list(User.objects.filter(is_staff=True).values_list("pk", flat=True))
    for study, owner in Study.objects.values_list("pk", "owner"):
        roles = dict.fromkeys(researchers, "editor") | ({owner: "owner"} if owner else {})
        Membership.objects.bulk_create(
            [Membership(study_id=study, user_id=user, role=role) for user, role in roles.items()],
            ignore_conflicts=True,
        )
    _keep_tokens(apps, schema_editor)


def _keep_tokens(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    if "authtoken_token" not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, user_id FROM authtoken_token")
        rows = cursor.fetchall()
    ends_at = timezone.now() + OLD_TOKENS_LAST
    AccessToken = apps.get_model("annotation", "AccessToken")
    tokens = [
        AccessToken(
            user_id=user,
            name="from before tokens had an end",
            sha256=hashlib.sha256(key.encode()).hexdigest(),
            ends_at=ends_at,
        )
        for key, user in rows
    ]
    AccessToken.objects.bulk_create(tokens, ignore_conflicts=True)


def name_owners(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The way back: the first owner of each study is its owner."""
    Study, Membership = (apps.get_model("annotation", name) for name in ("Study", "Membership"))
    for study, user in Membership.objects.filter(role="owner").order_by("-since").values_list("study_id", "user_id"):
        Study.objects.filter(pk=study).update(owner=user)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0023_members_and_links"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(give_roles, name_owners)]
