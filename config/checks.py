"""Whether what Closer stands on is there: database, tables, files, broker, and the work that should be moving."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import structlog
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage, storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from kombu import Connection

from annotation.models import Clock, Reconstruction, Snapshot, Work
from metric.models import TrainingRun

log = structlog.get_logger(__name__)

# Less than this free where the database and the files are, and /readyz takes the web server out of service.
LEAST_FREE_MB = 100
OLDEST_WAIT = timedelta(hours=6)
CLOCK_SILENT = timedelta(minutes=2)
BROKER_WITHIN = 2
WORK: dict[str, type[Work]] = {
    "reconstruction": Reconstruction,
    "snapshot": Snapshot,
    "training_run": TrainingRun,
}


@dataclass(frozen=True)
class Check:
    """What one check found.

    Attributes:
        needed: whether the web server can't do its work without it.
        problem: a sentence that says what is wrong and what to do; "" where nothing is.
        seconds: how long the oldest piece of work waits, or how long the clock is silent; None elsewhere.
    """

    name: str
    needed: bool
    problem: str = ""
    seconds: float | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


def check_all() -> Iterator[Check]:
    """All checks; those that read rows only where there is a database."""
    database = check_database()
    yield database
    yield check_storage()
    yield check_disk()
    yield check_static_files()
    yield check_broker()
    if database.ok:
        tables = check_migrations()
        yield tables
        if tables.ok:
            yield check_clock()
            yield check_waiting()


def report_at_start(*, serves_pages: bool) -> None:
    """Write a line for each thing that is missing. The process starts all the same: what is missing may come back.

    A worker serves no pages, and needs neither scripts nor styles.
    """
    ignored = {"clock", "waiting"} if serves_pages else {"clock", "waiting", "static"}
    for check in check_all():
        if check.problem and check.name not in ignored:
            log.error("not ready", check=check.name, problem=check.problem)


def check_database() -> Check:
    """The database answers."""
    return _checked(
        "database", True, _ask_database, hint="Is DATABASE_URL correct, and is the server running?"
    )


def check_migrations() -> Check:
    """The tables are those of this version of the code."""

    def ask() -> str:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        return f"{len(plan)} migrations have not run. Run: manage.py migrate" if plan else ""

    return _checked("migrations", True, ask)


def check_storage() -> Check:
    """Files can be read: the bucket or the folder is there and lets us in."""

    def ask() -> str:
        storage: Any = storages["default"]
        ask_for = storage.exists if isinstance(storage, FileSystemStorage) else storage.probe
        ask_for(f"probe/{uuid.uuid4().hex}")
        return ""

    return _checked("storage", True, ask, hint=_storage_hint())


def check_storage_by_writing() -> Check:
    """Files can be written, read and deleted; for the start, not for every probe."""

    def ask() -> str:
        name = default_storage.save(f"probe/{uuid.uuid4().hex}", ContentFile(b"closer"))
        try:
            with default_storage.open(name) as file:
                return (
                    "" if file.read() == b"closer" else "The content read back differs from what was written."
                )
        finally:
            default_storage.delete(name)

    return _checked("storage", True, ask, hint=_storage_hint())


def check_disk() -> Check:
    """There is room on the disks that Closer writes to."""

    def ask() -> str:
        free = shutil.disk_usage(settings.VAR_DIR).free // 2**20
        if free >= LEAST_FREE_MB:
            return ""
        return f"{free} MB are free in {settings.VAR_DIR}, but {LEAST_FREE_MB} are required. Free some space there."

    return _checked("disk", True, ask)


def check_static_files() -> Check:
    """Every script and style of this version has been collected: without them no page can be rendered."""

    def ask() -> str:
        storage: Any = staticfiles_storage
        if not isinstance(storage, ManifestFilesMixin):  # with DEBUG they are served from their folders
            return ""
        missing = len(_static_files() - storage.hashed_files.keys())
        if not missing:
            return ""
        return (
            f"Scripts and styles are missing: {missing} not collected. Run: manage.py collectstatic, then restart the "
            "web server"
        )

    return _checked("static", True, ask)


@cache
def _static_files() -> frozenset[str]:
    """The names of those that this version brings; what collectstatic passes over, such as backup files, is not among
    them.
    """
    static_files: Any = apps.get_app_config("staticfiles")
    listed = (finder.list(static_files.ignore_patterns) for finder in get_finders())
    return frozenset(name.replace("\\", "/") for each in listed for name, _ in each)


def check_broker() -> Check:
    """The broker answers. Answers to pairs are taken without it; nothing is encoded or trained."""

    def ask() -> str:
        with broker_client() as client:
            client.ping()
        return ""

    return _checked("broker", False, ask, hint="Is REDIS_URL correct, and is the server running?")


@contextmanager
def broker_client() -> Iterator[Any]:
    """A client of the broker's server that waits for BROKER_WITHIN seconds at most."""
    options = {"socket_timeout": BROKER_WITHIN, "socket_connect_timeout": BROKER_WITHIN}
    with Connection(settings.REDIS_URL, transport_options=options) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_WITHIN, interval_start=0, interval_step=0)
        channel: Any = broker.default_channel
        yield channel.client


def check_clock() -> Check:
    """Beat ticks: leases run out, lost messages are found, studies stop by their rules."""
    ticked_at = Clock.objects.values_list("ticked_at", flat=True).first()
    if ticked_at is None:
        return Check("clock", False, "Beat has never run. Start it: celery -A config beat")
    silent = timezone.now() - ticked_at
    late = silent > CLOCK_SILENT
    problem = f"Beat has been silent for {silent.total_seconds():.0f} s. Is it running?" if late else ""
    return Check("clock", False, problem, silent.total_seconds())


def check_waiting() -> Check:
    """No piece of work waits for hours."""
    seconds, kind = max(((seconds_waiting(name), name) for name in WORK), default=(0.0, ""))
    late = seconds > OLDEST_WAIT.total_seconds()
    problem = (
        f"A {kind} has waited for {seconds / 3600:.1f} hours. Does a worker serve its queue?" if late else ""
    )
    return Check("waiting", False, problem, seconds)


def seconds_waiting(kind: str) -> float:
    """How long the oldest row of a kind of work has been queued; 0 where none is."""
    queued = WORK[kind]._default_manager.filter(state="queued").order_by("queued_at")
    since = queued.values_list("queued_at", flat=True).first()
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0


def _ask_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return ""


def _checked(name: str, needed: bool, ask: Callable[[], str], *, hint: str = "") -> Check:
    """What `ask` says; whatever it raises is the problem, by its kind alone: messages may hold passwords."""
    try:
        return Check(name, needed, ask())
    except Exception as error:
        return Check(name, needed, f"It does not answer ({type(error).__name__}). {hint}".strip())


def _storage_hint() -> str:
    if isinstance(storages["default"], FileSystemStorage):
        return f"May this user write to {settings.VAR_DIR / 'files'}?"
    return "Is STORAGE_URL correct, and does the bucket exist? Closer does not create it."
