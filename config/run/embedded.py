"""What `demo` and `circle` share: Closer brought up in this process, on the embedded default."""

import os
import secrets
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command


def bring_up(var_dir: Path) -> dict[str, str]:
    """Sets the environment, readies Django, the tables and the static files; returns what child processes need."""
    env = {
        "VAR_DIR": str(var_dir),
        "DEBUG": os.environ.get("DEBUG", "off"),
        "SECRET_KEY": os.environ.get("SECRET_KEY") or _kept_secret(var_dir / "secret-key"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    os.environ.update(env)
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    return env


def staff_login(var_dir: Path, username: str = "researcher") -> tuple[str, str]:
    """A staff account of this embedded installation and its password, made at the first call."""
    from django.contrib.auth.models import User

    password = _kept_secret(var_dir / f"{username}-password", length=12)
    user, created = User.objects.get_or_create(
        username=username, defaults={"is_staff": True, "is_superuser": True}
    )
    if created:
        user.set_password(password)
        user.save()
    return username, password


def staff_token(username: str = "researcher") -> str:
    """A new API token of a staff account of this installation, for a day."""
    from django.contrib.auth.models import User

    from annotation.services.tokens import make_token

    return make_token(
        user=User.objects.get(username=username), name="another program on this machine", days=1
    )[1]


def _kept_secret(path: Path, *, length: int = 50) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(length))
    return path.read_text().strip()


def paper_rules() -> dict[str, Any]:
    """The preset of arXiv 2002.04988's study, without its arrival and training: the first pair is one click away."""
    from annotation.core.protocol import Protocol
    from annotation.services.presets import fields_of

    preset = fields_of("paper")
    kept = {name: preset["protocol"][name] for name in ("allocation", "pairs_within", "repeat_percent")}
    return preset | {"protocol": Protocol.bare().replace(**kept).to_json()}


def demo_study(*, slug: str, name: str, **rules: Any) -> tuple["Study", list[int]]:  # type: ignore[name-defined]  # noqa: F821
    """The open study of the demo photographs, and the reconstructions that wait for an encoder.

    It asks for nothing but pairs, so that the first of them is one click away.
    """
    from annotation.core.protocol import Protocol
    from annotation.demo import photographs
    from annotation.models import Reconstruction, Study
    from annotation.services.sources import add_source
    from annotation.services.studies import create_study, open_study

    study = Study.objects.filter(slug=slug).first() or create_study(
        name=name,
        slug=slug,
        **{
            "codecs": ["jpeg", "jpeg2000", "webp", "avif", "jpegxl"],
            "protocol": Protocol.bare().to_json(),
            **rules,
        },
    )
    if study.state == Study.State.DRAFT:
        have = set(study.uses.values_list("name", flat=True))
        for photograph in photographs():
            if photograph.name not in have:
                add_source(
                    study=study,
                    file=photograph.path,
                    name=photograph.name,
                    licence=photograph.licence,
                    attribution=photograph.attribution,
                )
        return study, open_study(study=study)
    waiting = Reconstruction.objects.needed_by(study).filter(state=Reconstruction.State.QUEUED)
    return study, list(waiting.values_list("pk", flat=True))
