"""The methods that a study compares: the versions that made their pictures, the figures that they were tuned on."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Min

from annotation.core.conditions import methods
from annotation.core.formats.printed import Column, Table
from annotation.errors import Refused
from annotation.models import Reconstruction, Study
from annotation.reports.exhibits import Exhibit
from annotation.reports.result_tables import METHOD
from codecs_zoo import registry
from codecs_zoo.contract import CodecError

CAPTION = (
    "A figure that a method was tuned on says little about that method; answers of people are about pictures, whatever "
    "those were tuned on."
)


@dataclass(frozen=True)
class MethodFacts:
    """A method of a study. `tuned_on`: names of quality figures that it makes better, whatever people see."""

    name: str
    origin: str
    versions: tuple[str, ...]
    tuned_on: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """What it was tuned on, in a sentence."""
        return f"{self.name} was tuned on {', '.join(self.tuned_on)}."


def method_facts(study: Study) -> list[MethodFacts]:
    """Every method of the study, sorted, from one reconstruction of each of its versions. Two queries."""
    versions: dict[str, dict[str, None]] = defaultdict(dict)
    tuned: dict[str, dict[str, None]] = defaultdict(dict)
    origins: dict[str, str] = {}
    for made in _one_of_each_version(study):
        origins[made.method] = made.origin
        if made.origin == Reconstruction.Origin.ZOO:
            versions[made.method] |= {made.codec_version: None} if made.codec_version else {}
            tuned[made.method] |= dict.fromkeys(_tuned_on(made))
    return [
        MethodFacts(name, origins.get(name, ""), tuple(versions[name]), tuple(tuned[name]))
        for name in methods(study.conditions())
    ]


def _one_of_each_version(study: Study) -> list[Reconstruction]:
    made = Reconstruction.objects.needed_by(study).filter(state=Reconstruction.State.DONE).order_by()
    firsts = made.values("method", "codec_version").annotate(one=Min("pk")).values_list("one", flat=True)
    return list(Reconstruction.objects.filter(pk__in=list(firsts)).order_by("method", "codec_version"))


def tuned_methods(study: Study) -> list[MethodFacts]:
    """Those that were tuned on some figure."""
    return [one for one in method_facts(study) if one.tuned_on]


def _tuned_on(made: Reconstruction) -> tuple[str, ...]:
    """What the codec says of the settings that made it; nothing where this installation has lost the codec."""
    try:
        return registry.get(made.method).tuned_on(made.operating_point or {})
    except (KeyError, CodecError, Refused, OSError):  # weights are damaged, or the storage is not there
        return ()


def methods_exhibit(study: Study) -> Exhibit:
    """The methods as a table, for files and the paper pack."""
    columns = (
        METHOD,
        Column("origin", "Made by"),
        Column("version", "Version"),
        Column("tuned_on", "Tuned on"),
    )
    made_by = {Reconstruction.Origin.ZOO.value: "codec", Reconstruction.Origin.OWN.value: "uploaded"}
    rows = tuple(
        (
            one.name,
            made_by.get(one.origin, one.origin),
            ", ".join(one.versions) or None,
            ", ".join(one.tuned_on) or None,
        )
        for one in method_facts(study)
    )
    return Exhibit("methods", "Methods", CAPTION, Table(columns, rows))
