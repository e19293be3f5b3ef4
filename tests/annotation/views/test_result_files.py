"""Figures and tables as files, and the paper pack: by page, by link, by API, by command."""

import csv
import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.models import Judgment, Study
from annotation.reports.results import compute_results
from annotation.services.annotator_quality import exclude_by_hand, mark_returned
from annotation.services.members import share_results
from tests.annotation.views.test_results import joined_study
from tests.kit.factories import make_judged_study, make_study, make_user
from tests.kit.services import missing

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def _joined(rows_of_the_module: None) -> Study:
    return joined_study()


@pytest.fixture
def study(_joined: Study) -> Study:
    """As the database has it: another test may have changed its own."""
    return Study.objects.get(pk=_joined.pk)


def fetch(client: Client, study: Study, file: str, **query: str) -> Any:
    name, _, form = file.rpartition(".")
    return client.get(reverse("study-figure", args=[study.slug, name, form]), query)


def pack_of(content: bytes) -> dict[str, bytes]:
    """The files of a pack, by their names below its one folder."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        return {name.partition("/")[2]: package.read(name) for name in package.namelist()}


def test_every_file_that_the_page_links_to_is_there(owner_client: Client, study: Study) -> None:
    page = owner_client.get(reverse("study-results", args=[study.slug])).content.decode()
    links = [
        part.split('"')[0] for part in page.split('href="')[1:] if "/results/figures/" in part.split('"')[0]
    ]
    assert {link.split("?")[0].rpartition(".")[2] for link in links} == {"svg", "pdf", "csv", "tex"}
    assert len(links) > 20
    for link in links:
        assert owner_client.get(link.replace("&amp;", "&")).status_code == 200, link


def test_one_drawing_in_the_page_and_in_the_files(owner_client: Client, study: Study) -> None:
    svg = fetch(owner_client, study, "quality-over-bits.svg")
    assert svg.headers["Content-Disposition"] == f'attachment; filename="{study.slug}-quality-over-bits.svg"'
    root = ElementTree.fromstring(svg.content)
    words = [text.text for text in root.iter() if text.tag.endswith("text")]
    assert {"jpeg", "webp", "bits per pixel"} <= set(words)
    page = owner_client.get(reverse("study-results", args=[study.slug])).context
    assert all(word in str(page["curves"].svg) for word in ("jpeg", "webp", "bits per pixel"))
    assert fetch(owner_client, study, "quality-over-bits.pdf").content.startswith(b"%PDF-")


def test_the_numbers_are_those_of_the_results(owner_client: Client, study: Study) -> None:
    ranking = compute_results(study, "people").results.main.ranking
    assert ranking is not None
    rows = list(
        csv.DictReader(io.StringIO(fetch(owner_client, study, "ranking-joined.csv").content.decode()))
    )
    assert [row["condition"] for row in rows] == [str(ranking.names[n]) for n in ranking.order]
    assert [float(row["jnd"]) for row in rows] == [float(ranking.values[n]) for n in ranking.order]
    assert float(rows[0]["jnd_low"]) < float(rows[0]["jnd"]) < float(rows[0]["jnd_high"])
    differences = csv.DictReader(
        io.StringIO(fetch(owner_client, study, "differences-joined.csv").content.decode())
    )
    assert all(float(row["jnd"]) >= 0 for row in differences)


def test_shares_of_pairs_are_there_where_levels_are_joined(owner_client: Client, study: Study) -> None:
    rows = list(
        csv.DictReader(io.StringIO(fetch(owner_client, study, "pair-against-pair.csv").content.decode()))
    )
    within = Judgment.objects.filter(study=study, triplet__level__isnull=False).count()
    assert [int(row["answers"]) for row in rows] == [within, within]
    assert float(rows[0]["share"]) + float(rows[1]["share"]) == pytest.approx(1)


@pytest.mark.parametrize("file", ["no-such-figure.svg", "agreement.svg", "ranking-joined.exe"])
def test_what_there_is_not_is_not_found(owner_client: Client, study: Study, file: str) -> None:
    assert fetch(owner_client, study, file).status_code == 404


def test_simulated_ones_say_so_in_name_and_drawing(owner_client: Client) -> None:
    study = make_judged_study(people=0, programs=6)
    svg = fetch(owner_client, study, "ranking-at-0.37.svg", population="simulated")
    assert "-simulated-" in svg.headers["Content-Disposition"] and b"simulated judgments" in svg.content


def test_whoever_has_the_link_has_the_figures_until_it_is_taken_back(study: Study) -> None:
    link = share_results(study=study, by=make_user("ada", owner=study))
    address = reverse("shared-figure", args=[link.key, "ranking-joined", "pdf"])
    page = Client().get(reverse("shared-results", args=[link.key])).content.decode()
    assert address in page and "paper-pack" not in page
    assert Client().get(address).status_code == 200
    assert len(Client().get(reverse("shared-figures", args=[link.key])).json()["figures"]) > 8
    study.results_links.update(revoked_at=link.created_at)
    assert Client().get(address).status_code == 404


class TestPaperPack:
    def test_it_holds_every_figure_and_table_in_every_format(
        self, owner_client: Client, study: Study
    ) -> None:
        answer = owner_client.get(reverse("study-paper-pack", args=[study.slug]))
        files = pack_of(b"".join(answer.streaming_content))
        listed = owner_client.get(reverse("study-figures", args=[study.slug])).json()["figures"]
        for one in listed:
            for form in one["formats"]:
                place = "figures" if form in ("svg", "pdf") else "tables"
                assert (
                    files[f"{place}/{one['name']}.{form}"]
                    == fetch(owner_client, study, f"{one['name']}.{form}").content
                )
        assert {"README.txt", "paper.tex", "methods.tex", "methods.txt", "figures.tex", "study.toml"} <= set(
            files
        )

    def test_people_have_names_of_this_pack_alone(self, owner_client: Client, study: Study) -> None:
        first, second = (
            pack_of(
                b"".join(owner_client.get(reverse("study-paper-pack", args=[study.slug])).streaming_content)
            )
            for _ in range(2)
        )
        rows = list(csv.DictReader(io.StringIO(first["data/answers.csv"].decode())))
        assert len(rows) == Judgment.objects.filter(study=study).count()
        for name in ("annotator_id", "pk", "assignment_id"):
            for key in Judgment.objects.values_list(name, flat=True):
                assert str(key).encode() not in b"".join(first.values())
        others = {
            row["annotator"] for row in csv.DictReader(io.StringIO(second["data/answers.csv"].decode()))
        }
        assert len(others) == 4 and not others & {row["annotator"] for row in rows}

    def test_its_votes_are_ranked_alike_by_the_command_line(
        self, owner_client: Client, study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from psychometrics.command import main

        files = pack_of(
            b"".join(owner_client.get(reverse("study-paper-pack", args=[study.slug])).streaming_content)
        )
        (tmp_path / "votes.csv").write_bytes(files["data/votes.csv"])
        main(["rank", str(tmp_path / "votes.csv")])
        best = next(csv.DictReader(io.StringIO(files["tables/ranking-joined.csv"].decode())))
        shown = capsys.readouterr().out
        assert best["condition"] in shown and f"{float(best['jnd']):+.2f}".replace("-", "−") in shown

    def test_a_panels_codes_are_not_in_it(self, owner_client: Client) -> None:
        study = make_judged_study(people=6)
        Study.objects.filter(pk=study.pk).update(
            protocol=study.protocol
            | {"completion_code": "C0DE99", "completion_url": "https://panel.example/C0DE99"}
        )
        answer = owner_client.get(reverse("study-paper-pack", args=[study.slug]))
        files = pack_of(b"".join(answer.streaming_content))
        assert b"C0DE99" not in b"".join(files.values()) and b'name = "' in files["study.toml"]

    def test_methods_follow_from_rules_and_counts(self, owner_client: Client) -> None:
        study = make_judged_study(people=6, votes_per_triplet=7, name="50 % & more")
        one, two, *_ = study.enrolments.order_by("pk")
        exclude_by_hand(enrolment=one, reason="asleep", by="owner")
        mark_returned(study=study, enrolments=[two.pk])
        answer = owner_client.get(reverse("study-paper-pack", args=[study.slug]))
        files = pack_of(b"".join(answer.streaming_content))
        words = files["methods.txt"].decode()
        for sentence in (
            "The stimuli were made from 4 photographs of at most 400 × 560 pixels.",
            "at 0.37 and 1.00 bits per pixel.",
            "Each pair was to be judged by 7 annotators",
            "4 people gave the 16 answers that count.",
            "1 annotator was excluded (by the researchers).",
            "1 annotator was excluded (returned their place).",
            "They had to choose one of the two.",
        ):
            assert sentence in words
        assert "training pairs" not in words and "original itself" not in words and "SIMULATED" not in words
        assert rb"\title{50 \% \& more}" in files["paper.tex"]

    def test_an_empty_study_has_none(self, owner_client: Client, tmp_path: Path) -> None:
        study = make_study()
        page = owner_client.get(reverse("study-paper-pack", args=[study.slug]), follow=True)
        assert "has no judgments by people yet, so there is nothing to publish" in page.content.decode()
        body = owner_client.get(reverse("api-study-paper-pack", args=[study.slug]))
        assert body.status_code == 409 and body.json()["code"] == "no_results"
        with pytest.raises(CommandError, match="nothing to publish"):
            call_command("export_paper_pack", study.slug, out=tmp_path / "pack.zip")
        assert list(tmp_path.iterdir()) == []

    def test_by_api_and_by_command_it_is_the_same(
        self, owner_client: Client, study: Study, tmp_path: Path
    ) -> None:
        answer = owner_client.get(reverse("api-study-paper-pack", args=[study.slug]))
        by_api = pack_of(b"".join(answer.streaming_content))
        call_command("export_paper_pack", study.slug, out=tmp_path / "pack.zip")
        by_command = pack_of((tmp_path / "pack.zip").read_bytes())
        assert set(by_api) == set(by_command)
        assert all(by_api[name] == by_command[name] for name in by_api if not name.startswith("data/"))

    @pytest.mark.slow
    def test_it_compiles(self, study: Study, tmp_path: Path) -> None:
        if shutil.which("pdflatex") is None:
            missing("pdflatex", "on Debian: apt-get install texlive-latex-base")
        Study.objects.filter(pk=study.pk).update(name="50 % of #1_x^2 & 中文 {\\")
        call_command("export_paper_pack", study.slug, out=tmp_path / "pack.zip")
        with zipfile.ZipFile(tmp_path / "pack.zip") as package:
            package.extractall(tmp_path)
        ran = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
            cwd=tmp_path / f"{study.slug}-paper-pack",
            capture_output=True,
            timeout=110,
        )
        assert ran.returncode == 0, ran.stdout.decode("utf-8", "replace")[-2000:]


def test_the_api_lists_figures_and_gives_each(owner_client: Client, study: Study) -> None:
    listed = owner_client.get(reverse("api-study-figures", args=[study.slug])).json()
    names = {one["name"] for one in listed["figures"]}
    assert {"ranking-joined", "quality-over-bits", "agreement", "equal-quality"} <= names
    file = owner_client.get(reverse("api-study-figure", args=[study.slug, "agreement", "tex"]))
    assert file.status_code == 200 and rb"\begin{tabular}" in file.content
    bad = owner_client.get(reverse("api-study-figures", args=[study.slug]), {"population": "dogs"})
    assert bad.status_code == 400
