"""Every page for annotators is in the study's language, whole; annotators choose where the study lets them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.dispatch import Signal
from django.template.loader import render_to_string
from django.test import Client
from django.test.signals import template_rendered
from django.urls import reverse
from django.utils import translation

from annotation import languages
from annotation.core.protocol import Protocol
from annotation.models import Enrolment, Session, Study
from annotation.services.arrival import CHECKS
from annotation.services.study_files import create_from_file, export_study
from config.settings import ROOT
from tests.kit.factories import make_judgment, make_session, make_study, make_triplet
from tests.panels import PROLIFIC, open_link
from tests.pseudo import WIDE, pseudo, texts_of, untranslated, write_pseudo

pytestmark = pytest.mark.django_db
__all__ = ["pseudo"]  # a fixture
TITLE = "题目 1"
BEFORE = [{"name": "q1", "text": "1 + 1?", "kind": "number", "when": "before", "required": True}]
AFTER = [{"name": "q2", "text": "2 + 2?", "kind": "number", "when": "after", "required": True, "least": 5}]


def study_in(language: str, **fields: Any) -> Study:
    """An open study in that language with one pair, and no words of its own in ordinary letters."""
    rules = fields.pop("rules", Protocol.bare())
    study = make_study(language=language, title=TITLE, protocol=rules.to_json(), **fields)
    make_triplet(study)
    return study


@pytest.fixture
def templates() -> Iterator[set[str]]:
    """The names of all templates that were rendered."""
    names: set[str] = set()

    def hear(signal: Signal, sender: Any, template: Any, **_: Any) -> None:
        names.add(template.name)

    template_rendered.connect(hear)
    yield names
    template_rendered.disconnect(hear)


def walked(language: str) -> Iterator[Any]:
    """Every page that an annotator can come to, in studies of that language."""
    asks = study_in(language, rules=Protocol(training_pairs=0, training_pass=0))
    yield open_link(Client(), asks)
    step = reverse("judge-step", args=[asks.key, "consent"])
    yield Client().post(step, {"agree": "no"})
    yield open_link(Client(), asks, invitation="nobody")
    yield from _steps(language)
    yield open_link(Client(), study_in(language, rules=Protocol.bare().replace(panel="prolific")))
    preview = {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE"}
    yield open_link(Client(), study_in(language, rules=Protocol.bare().replace(panel="mturk")), **preview)
    for layout in ("side", "toggle", "flicker"):
        rules = Protocol.bare().replace(layout=layout, undo_depth=1)
        yield open_link(Client(), study_in(language, rules=rules, allow_ties=True, instructions="123"))
    for state in (Study.State.PAUSED, Study.State.CLOSED):
        study = study_in(language)
        Study.objects.filter(pk=study.pk).update(state=state)
        yield open_link(Client(), study)
    yield Client().get("/", headers={"Accept-Language": language})
    yield from _ends(language)
    yield from _questions(language)
    yield Client(enforce_csrf_checks=True).post(step, {"agree": "yes"}, headers={"Accept-Language": language})


def _steps(language: str) -> Iterator[Any]:
    for check in CHECKS:
        rule = {"screen_check" if check == "screen" else check: "require"}
        study, client = study_in(language, rules=Protocol.bare().replace(**rule)), Client()
        yield open_link(client, study)
        yield client.post(reverse("judge-step", args=[study.key, "welcome"]), follow=True)
        yield client.post(reverse("judge-step", args=[study.key, check]))  # nothing was filled in
        for number, cause in enumerate(
            ("screen", "card", "brightness", "colour_vision", "acuity", "training")
        ):
            Enrolment.objects.filter(study=study).update(screened_out_by=cause)
            if number or check == "screen":
                yield open_link(client, study)


def _ends(language: str) -> Iterator[Any]:
    for code, address in (("", ""), ("123", ""), ("123", "https://1.2.3.4/")):
        rules = Protocol.bare().replace(panel="prolific", completion_code=code, completion_url=address)
        study, client = study_in(language, rules=rules, pairs_per_session=1), Client()
        open_link(client, study, **PROLIFIC)
        client.post(reverse("judge-step", args=[study.key, "welcome"]), follow=True)
        client.post(f"{reverse('judge-step', args=[study.key, 'welcome'])}?PROLIFIC_PID=5f1e", follow=True)
        end = reverse("judge-end", args=[study.key])
        yield client.get(end)
        session = Session.objects.get(study=study)
        make_judgment(session)
        yield client.get(end)
        Enrolment.objects.filter(study=study).update(returned_at="2026-01-01T00:00Z", finished_at=None)
        yield client.get(end)
    few = study_in(language, rules=Protocol.bare().replace(completion_code="123"), pairs_per_session=4)
    client = Client()
    session = open_link(client, few).context["session"]
    make_judgment(session)
    Session.objects.filter(pk=session.pk).update(ended_at="2026-01-01T00:00Z")
    yield client.get(reverse("judge-end", args=[few.key]))


def _questions(language: str) -> Iterator[Any]:
    for questions, step in ((BEFORE, "questions"), (AFTER, "questions_after")):
        study, client = study_in(language, questionnaire=questions, pairs_per_session=1), Client()
        page = open_link(client, study)
        client.post(reverse("judge-step", args=[study.key, "welcome"]), follow=True)
        if step == "questions_after":
            make_judgment(Session.objects.get(study=study))
            page = client.get(reverse("judge-end", args=[study.key]))
        yield page
        address = reverse("judge-step", args=[study.key, step])
        for answer in ("", "x", "1"):
            yield client.post(address, {questions[0]["name"]: answer})


def test_no_text_of_an_annotators_page_escapes_the_catalogue(pseudo: None, templates: set[str]) -> None:
    pages = 0
    for page in walked(WIDE):
        if page.status_code == 302:  # of what was answered before
            continue
        text = page.content.decode()
        assert f'<html lang="{WIDE}" dir="ltr"' in text
        assert untranslated(texts_of(text)) == [], page.request["PATH_INFO"]
        pages += 1
    assert pages > 40
    folder = ROOT / "templates"
    ours = {str(path.relative_to(folder)) for path in (folder / "annotation" / "arrival").glob("*.html")}
    ours |= {str(path.relative_to(folder)) for path in (folder / "annotation").glob("judge*.html")}
    ours -= {"annotation/arrival/researcher.html"}  # for members of the study who open its link
    assert ours - templates == set()  # a new page must be walked through above


@pytest.mark.parametrize("name", ["500.html", "404.html", "403.html", "403_csrf.html"])
def test_no_text_of_an_error_page_escapes(name: str, pseudo: None) -> None:
    with translation.override(WIDE):
        assert untranslated(texts_of(render_to_string(name))) == []


def test_an_address_that_leads_nowhere_is_told_in_the_visitors_language(client: Client) -> None:
    for address in ("/judge/nobody/", "/no-such-page/", "/"):
        page = client.get(address, headers={"Accept-Language": "de-CH, en;q=0.5"})
        assert '<html lang="de" dir="ltr">' in page.content.decode()


def test_researchers_pages_stay_in_english(owner_client: Client) -> None:
    for address in (reverse("study-list"), "/no-such-page/"):
        page = owner_client.get(address, headers={"Accept-Language": "de"})
        assert '<html lang="en" dir="ltr">' in page.content.decode()
    assert (
        '<html lang="en"'
        in Client().get(reverse("login"), headers={"Accept-Language": "de"}).content.decode()
    )


def test_a_study_chooses_its_language(client: Client) -> None:
    page = open_link(client, study_in("zh-hans"))
    assert "哪一幅更接近原图？" in page.content.decode() and page.headers["Content-Language"] == "zh-hans"
    assert Session.objects.get().language == "zh-hans"
    # A browser's own language changes nothing where the study does not let annotators choose.
    german = client.get(reverse("judge", args=[study_in("es").key]), headers={"Accept-Language": "de"})
    assert '<html lang="es"' in german.content.decode()
    assert "Deutsch" not in german.content.decode()


def test_a_studys_own_text_stays_as_it_is_written(client: Client) -> None:
    study = study_in("de", question="Näher dran?", annotators_choose_language=True)
    page = client.get(reverse("judge", args=[study.key]), headers={"Accept-Language": "es"}).content.decode()
    assert '<html lang="es"' in page and 'lang="de" dir="auto">Näher dran?' in page


def test_annotators_choose_where_the_study_lets_them(client: Client) -> None:
    study = study_in("en", annotators_choose_language=True, rules=Protocol.bare().replace(consent=True))
    address = reverse("judge", args=[study.key])
    page = client.get(address + "?participant=p1").content.decode()
    assert 'href="?participant=p1&amp;language=zh-hans"' in page
    chosen = client.get(address + "?participant=p1&language=zh-hans")
    assert chosen.headers["Location"] == address + "?participant=p1"
    assert '<html lang="zh-hans"' in client.get(address, headers={"Accept-Language": "de"}).content.decode()
    # What is no language, or not one of ours, is nobody's choice.
    assert client.get(address + "?language=xx").status_code == 200
    fixed = study_in("en")
    assert client.get(reverse("judge", args=[fixed.key]) + "?language=de").status_code == 200


@pytest.mark.parametrize(
    ("browser", "language"), [("zh-CN", "zh-hans"), ("es-MX", "es"), ("fr, de;q=0.3", "de")]
)
def test_a_browsers_language_is_matched_to_ours(browser: str, language: str, client: Client) -> None:
    study = study_in("en", annotators_choose_language=True)
    page = client.get(reverse("judge", args=[study.key]), headers={"Accept-Language": browser})
    assert page.headers["Content-Language"] == language


def test_the_api_answers_the_page_in_its_language_and_programs_in_english(client: Client) -> None:
    session = make_session(study_in("de"))
    Session.objects.filter(pk=session.pk).update(ended_at="2026-01-01T00:00Z", answered=1)
    address = reverse("assignment-next", args=[session.key])
    page = {"Accept-Language": "de", "X-Closer-Session": session.key}
    for headers, text in (
        (page, "Diese Sitzung ist abgeschlossen"),
        ({"Accept-Language": "de"}, "This session is"),
    ):
        answer = client.post(address, {}, content_type="application/json", headers=headers)
        assert text in answer.json()["detail"]


def test_a_catalogue_that_lacks_a_text_is_offered_to_nobody(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    write_pseudo(WIDE, tmp_path, without="I agree to take part")
    settings.LANGUAGES = [("en", "English"), (WIDE, "Ｗｉｄｅ")]
    settings.LOCALE_PATHS = [tmp_path, *settings.LOCALE_PATHS]
    languages.forget()
    try:
        assert languages.untranslated(WIDE) == ["I agree to take part"]
        assert languages.offered() == [("en", "English")]
        study = study_in(WIDE, rules=Protocol.bare().replace(consent=True))
        page = open_link(client, study)
        # Whole in English, rather than in two languages.
        assert page.headers["Content-Language"] == "en" and "I agree to take part" in page.content.decode()
        warnings = [result for result in checks.run_checks() if result.id == "annotation.W001"]
        assert len(warnings) == 1 and "I agree to take part" in warnings[0].msg
    finally:
        languages.forget()


def test_the_study_file_keeps_the_language() -> None:
    study = study_in("zh-hans", annotators_choose_language=True)
    text = export_study(study, panel_codes=True)
    assert 'language = "zh-hans"\nannotators_choose_language = true' in text
    again = create_from_file(text=text.split("[[photographs]]")[0])
    assert (again.language, again.annotators_choose_language) == ("zh-hans", True)


def test_a_study_file_with_an_unknown_language_is_refused() -> None:
    from annotation.errors import BadStudyFile

    with pytest.raises(BadStudyFile, match="language"):
        create_from_file(text='format = "closer-study/1"\nname = "x"\nlanguage = "tlh"\n')
    assert not Study.objects.exists()
