"""The image `web` has no torch: pages, API, beat and `collectstatic` do without, and what needs it says so."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]

# As if they were not installed: importing them raises ModuleNotFoundError.
WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "lpips", "pytorch_msssim"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])
sys.meta_path.insert(0, Absent())
import importlib.util
really = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in ("torch", "lpips") else really(name, *more)
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.core.management import call_command
"""


def without_torch(program: str, folder: Path) -> str:
    env = {**os.environ, "VAR_DIR": str(folder), "DATABASE_URL": "", "SECRET_KEY": "secret", "DEBUG": "false"}
    command = [sys.executable, "-c", WITHOUT + textwrap.dedent(program)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_but_computing_works_without_torch(tmp_path: Path) -> None:
    output = without_torch(
        """
        call_command("check")
        call_command("collectstatic", verbosity=0, interactive=False)
        call_command("migrate", verbosity=0)
        import config.beat, config.wsgi
        from django.contrib.auth.models import User
        from django.test import Client
        client = Client(headers={"host": "localhost"})
        client.force_login(User.objects.create(username="ada", is_staff=True))
        for page in ("/studies/", "/studies/new/", "/metric/", "/api/v1/schema/"):
            print(page, client.get(page).status_code)
        """,
        tmp_path,
    )
    assert {line.split()[-1] for line in output.splitlines() if line.startswith("/")} == {"200"}


def test_what_needs_torch_says_so(tmp_path: Path) -> None:
    output = without_torch(
        """
        from config.problems import exception_handler
        try:
            import torch
        except ModuleNotFoundError as error:
            answer = exception_handler(error, {})
        print(answer.status_code, answer.data["code"])
        """,
        tmp_path,
    )
    assert output.split() == ["501", "not_here"]
