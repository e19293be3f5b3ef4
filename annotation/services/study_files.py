"""Studies from study files and the way back, and a study copied: the same rules and stimuli in a new draft."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BooleanField, IntegerField, JSONField

from annotation.core.conditions import ConditionError, parse_level
from annotation.core.formats import study_file
from annotation.core.formats import zip as archives
from annotation.core.formats.study_file import StudyFileError
from annotation.core.languages import LANGUAGES, SOURCE_LANGUAGE
from annotation.core.panel_codes import PANEL_CODES, without_panel_codes
from annotation.core.protocol import Protocol
from annotation.errors import BadStudyFile, Refused
from annotation.models import Reconstruction, Study, StudySource
from annotation.services.listed_photographs import add_listed, below, corners_of, read_listed, store_whole
from annotation.services.own_pictures import keep_pictures, store_whole_originals
from annotation.services.picture_folder import Progress, read_pictures
from annotation.services.studies import create_study, new_study, save_new

# Every rule of a study outside its protocol, in the order of the file.
RULES = (
    *("name", "title", "language", "annotators_choose_language", "question", "instructions"),
    *("codecs", "target_bpps", "listed_pairs"),
    *("votes_per_triplet", "pairs_per_session", "allow_ties", "min_view_ms", "max_width", "max_height"),
    *("surround", "lease_seconds", "retrain_after", "questionnaire", "preset"),
)
LARGEST_ARCHIVE = 20 * 2**30


def describe_study(study: Study) -> dict[str, Any]:
    """Every rule and stimulus of the study as plain values: the contents of a study file."""
    rules = {rule: value for rule in RULES if (value := getattr(study, rule)) is not None}
    uses = list(study.uses.select_related("source").order_by("pk"))
    names = {use.source_id: use.source.photograph for use in uses}
    place = {pk: number for number, pk in enumerate(names)}
    pictures = study.own_pictures.filter(source__in=place)
    rows = sorted(pictures, key=lambda row: (place[row.source_id], row.method, row.level))
    return {
        "format": study_file.FORMAT,
        **rules,
        "protocol": study.rules.to_json(),
        "photographs": [_photograph(use) for use in uses],
        "pictures": [_picture(row, names[row.source_id]) for row in rows],
    }


def _photograph(use: StudySource) -> dict[str, Any]:
    row = {"name": use.name, "sha256": use.source.photograph}
    if use.source.crop:
        row["crop"] = use.source.crop
    return row | {word: text for word in ("licence", "attribution") if (text := getattr(use, word))}


def _picture(row: Reconstruction, photograph: str) -> dict[str, Any]:
    cell = {"photograph": photograph, "method": row.method, "level": float(row.level), "sha256": row.sha256}
    return cell | ({} if row.bpp is None else {"bpp": row.bpp})


def export_study(study: Study, *, panel_codes: bool) -> str:
    """The study file of a study, its stimuli by hash; without `panel_codes` it can be published."""
    content = describe_study(study)
    if not panel_codes:
        content |= {"protocol": without_panel_codes(content["protocol"])}
    return study_file.write(content)


def create_from_file(
    *,
    text: str | bytes,
    folder: Path | None = None,
    owner: User | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Study:
    """The draft that a study file describes, whole or not at all; `folder` is where its paths begin.

    All pictures are read before the transaction begins: on SQLite no answer waits meanwhile. Raises BadStudyFile, or
    the Refused of whatever its rules and stimuli come to.
    """
    try:
        text = study_file.decode(text) if isinstance(text, bytes) else text
        content = study_file.read(text, rules=RULES, protocol=[rule.name for rule in fields(Protocol)])
    except StudyFileError as error:
        raise BadStudyFile(str(error)) from error
    study = _unsaved(content)
    with TemporaryDirectory() as scratch, ExitStack() as read:
        listed, faults = read_listed(study, content.get("photographs", []), folder, Path(scratch))
        pictures = None
        if not faults and (stimuli := content.get("stimuli")):
            own = read.enter_context(_folder_of(stimuli, folder))
            corners = corners_of(listed)
            pictures = read.enter_context(
                read_pictures(study=study, folder=own, corners=corners, progress=progress)
            )
        with transaction.atomic():
            save_new(study, owner=owner)
            faults += [*add_listed(study, listed), *_add_known_pictures(study, content.get("pictures", []))]
            if faults:
                raise BadStudyFile(" ".join(faults))
            if pictures is not None:
                keep_pictures(study=study, read=pictures, allow_missing=content.get("allow_missing", False))
        store_whole(listed)
        if pictures is not None:
            store_whole_originals(pictures)
    return study


def _unsaved(content: Mapping[str, Any]) -> Study:
    """The draft with the rules of the file, before its row is saved. Raises BadStudyFile with what is wrong."""
    rules = {rule: content[rule] for rule in RULES if rule in content}
    if faults := [
        f"{rule} must be {kind}." for rule, value in rules.items() if (kind := _other_kind(rule, value))
    ]:
        raise BadStudyFile(" ".join(faults))
    if not isinstance(rules.get("name"), str) or not rules["name"].strip():
        raise BadStudyFile('A study needs a name: write name = "…".')
    if rules.get("language", SOURCE_LANGUAGE) not in LANGUAGES:
        raise BadStudyFile(f"language must be one of {', '.join(LANGUAGES)}, not {rules['language']!r}.")
    defaults: dict[str, Any] = {} if "codecs" in rules else {"target_bpps": []}
    try:
        return new_study(protocol=content.get("protocol", {}), **defaults | rules)
    except ValidationError as error:
        words = [f"{field}: {' '.join(faults)}" for field, faults in error.message_dict.items()]
        raise BadStudyFile(" ".join(words)) from error
    except (TypeError, ValueError) as error:
        raise BadStudyFile(f"A rule has a value of the wrong type: {error}.") from error


_LISTS = {"codecs": (str, "texts"), "listed_pairs": (str, "texts"), "target_bpps": (int | float, "numbers")}


def _other_kind(rule: str, value: Any) -> str:
    """What the rule's value must be, "" where it is of that kind."""
    if rule in _LISTS:
        kind, words = _LISTS[rule]
        fits = isinstance(value, list) and all(
            isinstance(one, kind) and not isinstance(one, bool) for one in value
        )
        return "" if fits else f"a list of {words}"
    field = Study._meta.get_field(rule)
    if isinstance(field, BooleanField):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(field, IntegerField):
        return "" if type(value) is int else "a whole number"
    return "" if isinstance(field, JSONField) or isinstance(value, str) else "a text"


def _add_known_pictures(study: Study, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        method, level = row.get("method", ""), row.get("level", 0)
        known = _level(level)
        picture = (
            known is not None
            and Reconstruction.objects.filter(
                origin=Reconstruction.Origin.OWN,
                source__in=study.sources.all(),
                source__photograph=str(row.get("photograph", "")),
                method=method,
                level=known,
                sha256=str(row.get("sha256", "")),
            ).first()
        )
        if picture:
            study.own_pictures.add(picture)
        else:
            yield (
                f"The picture {method}@{level} of {row.get('photograph', '?')} is not stored here: send "
                "it with stimuli."
            )


def _level(value: Any) -> Decimal | None:
    """The level of a picture; None for an invalid one."""
    try:
        return parse_level(str(value))
    except ConditionError:
        return None


@contextmanager
def _folder_of(stimuli: Any, folder: Path | None) -> Iterator[Path]:
    """The folder of own pictures; a zip is unpacked for as long as it is read."""
    path = below(folder, stimuli)
    if path.is_dir():
        yield path
        return
    with path.open("rb") as file, unpacked(file) as pictures:
        yield pictures


@contextmanager
def unpacked(file: Any) -> Iterator[Path]:
    """The files of a zip in a folder, for as long as they are read. Raises Refused for a zip that can't be read."""
    with TemporaryDirectory() as scratch:
        try:
            archives.unpack(file, Path(scratch, "whole"), largest_bytes=LARGEST_ARCHIVE)
        except archives.PackageError as error:
            raise Refused(f"The zip file cannot be used: {error}.") from error
        yield Path(scratch, "whole")


@transaction.atomic
def copy_study(*, study: Study, owner: User, panel_codes: bool, name: str = "") -> Study:
    """A draft with the rules, photographs and pictures of `study`, and no answers; its panel's codes are optional.

    Raises Refused where the study holds no pictures.
    """
    if study.ranking_only:
        raise Refused(f"“{study}” was imported without pictures, so a copy would have nothing to show.")
    protocol = study.rules if panel_codes else study.rules.replace(**dict.fromkeys(PANEL_CODES, ""))
    rules = {rule: getattr(study, rule) for rule in RULES} | {"name": name or f"{study.name[:110]} (copy)"}
    copy = create_study(owner=owner, protocol=protocol.to_json(), **rules)
    StudySource.objects.bulk_create(
        StudySource(
            study=copy,
            source_id=use.source_id,
            name=use.name,
            licence=use.licence,
            attribution=use.attribution,
        )
        for use in study.uses.order_by("pk")
    )
    copy.own_pictures.set(study.own_pictures.all())
    return copy
