"""The demo: a study of real photographs by real codecs, opened for you to judge.

    python -m config.run.demo --port 8000

Everything is kept under var/ (VAR_DIR); a second run goes on where the first one ended.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from tqdm import tqdm

from config.run.embedded import bring_up, demo_study, staff_login
from config.run.supervisor import ROOT, Supervisor, SupervisorError


def main() -> None:
    """Runs until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in")
    arguments = parser.parse_args()
    var_dir = Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
    print("Preparing the database and the demo's photographs …", flush=True)
    env = bring_up(var_dir)
    username, password = staff_login(var_dir)
    study, waiting = demo_study(slug="demo", name="Demo: five codecs at four bitrates")
    try:
        with Supervisor(port=arguments.port, host=arguments.host, env=env) as supervisor:
            _send(waiting)
            _wait_for_pairs(study.pk)
            site = supervisor.url.rstrip("/")
            print(f"\nJudge pairs here:      {site}/judge/{study.key}/")
            print(f"The researcher's side: {site}/studies/demo/   (login {username}, password {password})")
            print("Everything is kept under " + str(var_dir) + ". Ctrl-C ends the demo.\n", flush=True)
            _show_encoding(study.pk)
            supervisor.wait()
    except SupervisorError as error:
        sys.exit(f"The demo could not start: {error}")
    except KeyboardInterrupt:
        pass
    print("Ended. `make demo` goes on where you left off.")


def _send(waiting: list[int]) -> None:
    from annotation.tasks import enqueue_encodings

    enqueue_encodings(waiting)


def _wait_for_pairs(study: int) -> None:
    """Until the first pair can be judged: a few seconds of encoding."""
    from annotation.models import Triplet

    until = time.monotonic() + 120
    while not Triplet.objects.filter(study=study).exists():
        if time.monotonic() > until:
            sys.exit(
                "No pair was ready after two minutes. What the worker says is in log/worker.log under VAR_DIR."
            )
        time.sleep(0.2)


def _show_encoding(study: int) -> None:
    """A progress bar until every reconstruction is made or has failed."""
    from annotation.models import Reconstruction, Study

    rows = Reconstruction.objects.needed_by(Study.objects.get(pk=study))
    total = rows.count()
    with tqdm(total=total, desc="Encoding", unit=" reconstructions", mininterval=1) as bar:
        while left := rows.pending().count():
            bar.update(total - left - bar.n)
            time.sleep(0.5)
        bar.update(total - bar.n)
    for failed in rows.filter(state=Reconstruction.State.FAILED):
        print(f"  {failed}: {failed.error}")
    print("Every reconstruction is made.", flush=True)


if __name__ == "__main__":
    main()
