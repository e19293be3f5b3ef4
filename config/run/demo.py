"""The demo: a study of real photographs by real codecs, opened for you to judge.

    python -m config.run.demo --port 8000
    python -m config.run.demo --study paper                     # six codecs at four rates, ranked at each
    python -m config.run.demo --study paper --simulated 500     # answered by programs, and marked so

Everything is kept under var/ (VAR_DIR); a second run continues where the first one ended.
"""

import argparse
import os
import sys
import time

from tqdm import tqdm

from config.environment import data_folder
from config.run.embedded import bring_up, demo_study, paper_rules, staff_login, staff_token
from config.run.supervisor import Supervisor, SupervisorError

STUDIES = {
    "demo": "Demo: five codecs at four bitrates",
    "paper": "Six codecs at four rates",
}


def main() -> None:
    """Runs until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 allows other machines to connect")
    parser.add_argument("--study", choices=list(STUDIES), default="demo")
    parser.add_argument(
        "--simulated", type=int, default=0, metavar="N", help="number of simulated answers to add first"
    )
    arguments = parser.parse_args()
    var_dir = data_folder()
    print("Preparing the database and the demo's photographs …", flush=True)
    env = bring_up(var_dir)
    username, password = staff_login(var_dir)
    study, waiting = demo_study(
        slug=arguments.study,
        name=STUDIES[arguments.study],
        **(paper_rules() if arguments.study == "paper" else {}),
    )
    try:
        with Supervisor(port=arguments.port, host=arguments.host, env=env) as supervisor:
            _send(waiting)
            _wait_for_pairs(study.pk)
            site = supervisor.url.rstrip("/")
            print(f"\nJudge pairs here:      {site}/judge/{study.key}/")
            print(
                f"The researcher's side: {site}/studies/{study.slug}/   (login {username}, password {password})"
            )
            print("Everything is kept under " + str(var_dir) + ". Ctrl-C ends the demo.\n", flush=True)
            _show_encoding(study.pk)
            if arguments.simulated:
                _simulate(site, study.key, arguments.simulated)
            supervisor.wait()
    except SupervisorError as error:
        sys.exit(f"The demo could not start: {error}")
    except KeyboardInterrupt:
        pass
    print("Stopped. The same command continues where it ended.")


def _simulate(site: str, key: str, target: int) -> None:
    """Answers by simulated annotators, who have no opinion about codecs; the pages mark them."""
    from config.run.circle.annotators import judge_all

    with tqdm(total=target, unit=" simulated answers", mininterval=1) as bar:
        given = judge_all(
            site,
            key,
            staff_token(),
            target=target,
            annotators=max(10, target // 50),
            at_once=4,
            progress=lambda done: bar.update(done - bar.n),
        )
    print(f"{given} answers by simulated annotators; they say nothing about any codec.", flush=True)


def _send(waiting: list[int]) -> None:
    from annotation.tasks import enqueue_encodings

    enqueue_encodings(waiting)


def _wait_for_pairs(study: int) -> None:
    """Until the first pair can be judged: a few seconds of encoding."""
    from annotation.models import Triplet

    until = time.monotonic() + 120
    while not Triplet.objects.filter(study=study).exists():
        if time.monotonic() > until:
            sys.exit("No pair was ready after two minutes. See log/worker.log under VAR_DIR.")
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
    print("All reconstructions are done.", flush=True)


if __name__ == "__main__":
    main()
