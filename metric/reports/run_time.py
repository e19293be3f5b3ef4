"""How long a training run takes as a whole, going by earlier runs like it."""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from django.utils import timezone

from annotation.core.durations import duration_in_words
from metric.models import TrainingRun

# Earlier runs that tell how long one takes.
RECENT = 5
ALIKE = ("net", "nets", "kind")


@dataclass(frozen=True)
class RunTime:
    """Seconds since a run began, seconds that runs like it took, and how many runs that is from."""

    elapsed: float
    usual: float | None
    runs: int

    @property
    def words(self) -> str:
        """Both, and what is left, as a page says it."""
        so_far = f"{duration_in_words(self.elapsed)} so far"
        if self.usual is None:
            return f"{so_far}; no earlier run of this study gives an estimate"
        basis = "the last run like it" if self.runs == 1 else f"the last {self.runs} runs like it"
        left = self.usual - self.elapsed
        rest = f"about {duration_in_words(left)} left in all" if left > 0 else "longer than usual"
        return f"{so_far}, {rest}: {basis} took {duration_in_words(self.usual)}"


def run_time(run: TrainingRun) -> RunTime | None:
    """Of a run that is running; None for others."""
    if run.state != TrainingRun.State.RUNNING or run.started_at is None:
        return None
    took = [
        (done.finished_at - done.started_at).total_seconds()
        for done in _alike(run)
        if done.finished_at is not None and done.started_at is not None
    ]
    elapsed = (timezone.now() - run.started_at) / timedelta(seconds=1)
    return RunTime(elapsed, median(took) if took else None, len(took))


def _alike(run: TrainingRun) -> list[TrainingRun]:
    """The study's last finished runs with the same networks and kind of metric."""
    done = TrainingRun.objects.filter(
        study=run.study_id, state=TrainingRun.State.DONE, started_at__isnull=False, finished_at__isnull=False
    ).order_by("-pk")
    own = [run.config.get(name) for name in ALIKE]
    alike = (one for one in done[:50] if [one.config.get(name) for name in ALIKE] == own)
    return [one for one, _ in zip(alike, range(RECENT), strict=False)]
