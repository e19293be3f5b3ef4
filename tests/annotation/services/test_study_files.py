"""Study files: every rule and stimulus out and in again, equal; and what is wrong is named, with nothing made."""

import io
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from kombu.exceptions import OperationalError

from annotation import tasks
from annotation.core.conditions import Condition
from annotation.core.protocol import Protocol
from annotation.errors import BadStudyFile, FaultyPictures, Refused
from annotation.models import Study
from annotation.services.own_pictures import add_pictures
from annotation.services.study_files import RULES, copy_study, create_from_file, describe_study, export_study
from tests.annotation.services.test_own_pictures import DAWN, DUSK, good, worse, write
from tests.kit.factories import make_png, make_source, make_study, make_user

pytestmark = pytest.mark.django_db

SMALLEST = 'format = "closer-study/1"\nname = "Small"\ncodecs = ["jpeg", "webp"]\ntarget_bpps = [1.0]\n'


def make_rich(tmp_path: Path) -> Study:
    """A draft in which no rule has its default, with photographs and own pictures."""
    rules = Protocol().replace(
        pairs_across="method",
        consent_text='Two lines,\n"quoted" and \\ more\n',
        stop_on="2031-01-31",
        training_pass=0,
    )
    study = make_study(
        state="draft", title="For all", instructions="First.\n\nSecond: „ä“ 日本\t.", protocol=rules.to_json(),
        codecs=["jpeg"], target_bpps=[0.23, 1.0], listed_pairs=["dawn, mine@1, original"], allow_ties=True,
        votes_per_triplet=7, pairs_per_session=41, lease_seconds=77, min_view_ms=5, surround="#333333",
        retrain_after=33, question="Which?", max_width=90, max_height=70,
    )  # fmt: skip
    add_pictures(study=study, folder=write(tmp_path / "own", good()), licence="CC0", attribution="Ada")
    return study


def test_out_and_in_and_out_again_is_equal(tmp_path: Path) -> None:
    study = make_rich(tmp_path)
    text = export_study(study, panel_codes=True)
    again = create_from_file(text=text, owner=make_user())
    assert again.pk != study.pk and again.state == Study.State.DRAFT
    assert export_study(again, panel_codes=True) == text
    assert again.conditions() == study.conditions() and set(again.sources.all()) == set(study.sources.all())


def test_the_file_has_every_rule(tmp_path: Path) -> None:
    content = tomllib.loads(export_study(make_rich(tmp_path), panel_codes=True))
    assert set(RULES) <= set(content)
    assert content["protocol"] == Study.objects.get().rules.to_json()
    columns = {field.name for field in Study._meta.concrete_fields}
    others = {
        "id",
        "ranking_only",
        "annotators_recorded",
        "slug",
        "key",
        "state",
        "codecs_added",
        "protocol",
        "origin",
        "unplanned",
        "planning_until",
    }
    moments = {"saved_at", "created_at", "opened_at", "closed_at", "archived_at"}
    assert columns - set(RULES) == others | moments


def test_photographs_by_file_and_pictures_by_folder_or_zip(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(make_png(9))
    write(tmp_path / "own", good())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for path in (tmp_path / "own").rglob("*.png"):
            package.write(path, f"all/{path.relative_to(tmp_path / 'own')}")
    (tmp_path / "own.zip").write_bytes(packed.getvalue())
    rows = '[[photographs]]\nfile = "one.png"\nlicence = "CC0"\n'
    for stimuli in ("own", "own.zip"):
        study = create_from_file(text=f'{SMALLEST}stimuli = "{stimuli}"\n{rows}', folder=tmp_path)
        assert sorted(study.uses.values_list("name", flat=True)) == ["dawn", "dusk", "one.png"]
        assert Condition("mine", 2.0) in study.conditions()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SMALLEST + 'preset = "king"\n', "no preset named 'king'"),
        (SMALLEST + '[[photographs]]\nname = "a"\nsha256 = "00"\ncrop = [1, 2]\n', "four whole numbers"),
        pytest.param("name = " + "[" * 10_000, "nested too deeply", id="nested"),
        ("name = ", "not valid TOML"),
        ('name = "x"', 'must begin with format = "closer-study/1"'),
        (
            SMALLEST + 'colour = "red"\n[protocol]\nspeed = 3\n',
            "no rule named 'colour'.*no rule named 'speed'",
        ),
        (SMALLEST.replace('name = "Small"\n', ""), "A study needs a name"),
        (SMALLEST + "votes_per_triplet = 0\n", "votes_per_triplet: .*greater than or equal to 1"),
        (SMALLEST + 'votes_per_triplet = "many"\n', "votes_per_triplet"),
        (SMALLEST + "target_bpps_ = 3\n", "no rule named 'target_bpps_'"),
        (SMALLEST + "[[photographs]]\nsize = 3\n", "no column named 'size'"),
        (SMALLEST + '[[photographs]]\nname = "a"\nsha256 = "ff"\n', r"Photograph 1 \(a\) is not stored here"),
        (SMALLEST + '[[photographs]]\nfile = "no.png"\n', "no.png does not exist"),
        (SMALLEST + '[[photographs]]\nfile = "../no.png"\n', "inside the file's folder"),
        (
            SMALLEST + '[[pictures]]\nphotograph = "ff"\nmethod = "m"\nlevel = 1\n',
            "m@1 of ff is not stored here",
        ),
        (SMALLEST + 'stimuli = "nowhere"\n', "nowhere does not exist"),
        (SMALLEST + "[protocol]\ntraining_pairs = 3\n", "at least 5 pairs"),
        (SMALLEST + 'listed_pairs = ["jpeg@1"]\n', "is not a pair"),
        (SMALLEST.replace("webp", "nocodec"), "nocodec"),
        (SMALLEST + "codecs = 3\n", "not valid TOML"),
        (SMALLEST.replace('["jpeg", "webp"]', "3"), "wrong type|list"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        create_from_file(text=text, folder=tmp_path)
    assert not Study.objects.exists()


def test_a_fault_in_the_pictures_leaves_no_study(tmp_path: Path) -> None:
    pictures = good()
    del pictures["dusk/original.png"]
    write(tmp_path / "own", pictures)
    with pytest.raises(FaultyPictures, match="dusk has no original"):
        create_from_file(text=SMALLEST + 'stimuli = "own"\n', folder=tmp_path)
    assert not Study.objects.exists()


def test_a_file_that_came_alone_names_no_paths() -> None:
    with pytest.raises(BadStudyFile, match="was sent without its files"):
        create_from_file(text=SMALLEST + '[[photographs]]\nfile = "one.png"\n')


def test_a_copy_has_the_rules_and_stimuli_and_no_answers(tmp_path: Path) -> None:
    study, ada = make_rich(tmp_path), make_user("ada")
    Study.objects.filter(pk=study.pk).update(state="closed", opened_at="2026-01-01T00:00Z")
    study.refresh_from_db()
    copy = copy_study(study=study, owner=ada, panel_codes=True)
    assert (copy.state, copy.opened_at, copy.key != study.key) == ("draft", None, True)
    assert copy.memberships.get().user == ada
    ours, theirs = describe_study(copy), describe_study(study)
    assert ours.pop("name") == f"{theirs.pop('name')} (copy)"
    assert ours == theirs


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_commands_make_open_and_write_a_study(tmp_path: Path) -> None:
    write(tmp_path / "own", good())
    make_user("ada")
    (tmp_path / "study.toml").write_text(
        'format = "closer-study/1"\nname = "Mine"\nstimuli = "own"\n[protocol]\n'
        "training_pairs = 0\ntraining_pass = 0\nsentinel_percent = 0\n"
    )
    output = run("create_study", str(tmp_path / "study.toml"), "--open", "--owner", "ada")
    study = Study.objects.get()
    assert output.startswith("mine: open, /studies/mine/") and study.key in output
    assert study.memberships.get(role="owner").user.username == "ada"
    assert study.triplets.filter(role="pair").count() == 2
    assert run("export_study", "mine") == export_study(study, panel_codes=True)
    run("export_study", "mine", "--out", str(tmp_path / "out.toml"))
    assert (tmp_path / "out.toml").read_text() == export_study(study, panel_codes=True)


def test_the_command_says_that_levels_are_not_connected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = good() | {"dawn/theirs@2.png": worse(DAWN, 12), "dusk/theirs@2.png": worse(DUSK, 12)}
    write(tmp_path / "own", pictures)
    start = 'format = "closer-study/1"\nname = "Mine"\nstimuli = "own"\n[protocol]\npairs_across = '
    for across, reported in (("off", True), ("method", False)):
        (tmp_path / "study.toml").write_text(f'{start}"{across}"\n')
        run("create_study", str(tmp_path / "study.toml"), "--open")
        assert ("into 2 groups" in capsys.readouterr().err) is reported


@pytest.mark.django_db(transaction=True)
def test_a_study_is_opened_while_nothing_else_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_broker(*_: Any, **__: Any) -> None:
        raise OperationalError("no such socket")

    monkeypatch.setattr(tasks.encode, "apply_async", no_broker)
    write(tmp_path / "own", good())
    (tmp_path / "study.toml").write_text(
        'format = "closer-study/1"\nname = "Mine"\nstimuli = "own"\n[protocol]\npairs_with_original = true\n'
    )
    assert run("create_study", str(tmp_path / "study.toml"), "--open").startswith("mine: open")
    assert "broker cannot be reached" in caplog.text and "no such socket" in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create_study", "absent.toml"), "cannot be read"),
        (("create_study", "study.toml", "--owner", "nobody"), "no researcher named 'nobody'"),
        (("export_study", "absent"), "no study named 'absent'"),
    ],
)
def test_commands_refuse_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(SMALLEST)
    with pytest.raises(CommandError, match=words):
        run(*arguments)


def test_a_command_lists_every_fault_of_the_pictures(tmp_path: Path) -> None:
    pictures: dict[str, Any] = good() | {"dawn/mine.png": make_png(1), "dusk/x@1.png": make_png(3, width=70)}
    write(tmp_path / "own", pictures)
    (tmp_path / "study.toml").write_text('format = "closer-study/1"\nname = "Mine"\nstimuli = "own"\n')
    with pytest.raises(CommandError) as caught:
        run("create_study", str(tmp_path / "study.toml"))
    assert str(caught.value).count("\n- ") == 3


def test_a_photograph_under_another_crop_is_not_taken_for_it() -> None:
    source = make_source(crop=[10, 10, 96, 80])
    row = f'[[photographs]]\nname = "a"\nsha256 = "{source.photograph}"\n'
    with pytest.raises(BadStudyFile, match="not stored here"):
        create_from_file(text=SMALLEST + row)
    study = create_from_file(text=f"{SMALLEST}{row}crop = [10, 10, 96, 80]\n")
    assert study.sources.get() == source
