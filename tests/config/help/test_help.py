"""Help in the product: every page of the guide with working links, and every endpoint of the API."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag

import pytest
from django.test import Client
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from config.help import guide
from config.help.guide import DOCS, guide_page, menu, page_names
from config.help.reference import endpoints_by_area
from config.middleware import POLICY


class _Links(HTMLParser):
    """The targets of a page's links and pictures, and the names that links can lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors.add(values.get("id") or "")
        if target := values.get("href") or values.get("src"):
            self.targets.append(target)


def links_of(html: str) -> _Links:
    parser = _Links()
    parser.feed(html)
    return parser


@pytest.mark.django_db
def test_every_link_of_the_guide_leads_somewhere(owner_client: Client) -> None:
    pages = {name: guide_page(name) for name in page_names()}
    anchors = {}
    for name, page in pages.items():
        assert page is not None
        address = reverse("help") if name == "index" else reverse("help-page", args=[name])
        anchors[address] = links_of(page.body)
    assert len(anchors) > 50
    status = cache(lambda path: owner_client.get(path).status_code)
    for address, links in anchors.items():
        for target in links.targets:
            path, anchor = urldefrag(target)
            if "://" in target:
                continue
            assert path == "" or path in anchors or status(path) == 200, (address, target)
            if anchor:
                assert anchor in anchors[path or address].anchors, (address, target)


@pytest.mark.django_db
def test_a_page_has_its_text_its_contents_and_a_title_of_its_own(owner_client: Client) -> None:
    page = owner_client.get(reverse("help-page", args=["judging"]))
    text = page.content.decode()
    assert "<title>Judging – Help – Closer</title>" in text
    assert '<a href="#the-checks">The checks</a>' in text and '<h2 id="the-checks">' in text
    assert '<table class="table">' in text and "| ---" not in text
    for name, title in menu():
        assert title in text and (name == "index" or f"/help/{name}/" in text)
    assert (
        re.search(r'<img src="/help/images/[\w-]+\.png"', text)
        or "images/" not in (DOCS / "judging.md").read_text()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nothing", "../README", "decisions/nothing", "..%2f..%2fetc%2fpasswd"])
def test_what_is_no_page_is_not_found(name: str, owner_client: Client) -> None:
    assert owner_client.get(f"/help/{name}/").status_code == 404
    assert owner_client.get(f"/help/images/{name}", follow=True).status_code == 404


def test_raw_html_in_a_page_is_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "# Title\n\n<script>alert(1)</script> [x](javascript:alert(1)) [y](../secret.md)\n"
    )
    monkeypatch.setattr(guide, "DOCS", tmp_path)
    guide.guide_page.cache_clear()
    page = guide.guide_page("page")
    guide.guide_page.cache_clear()
    assert page and "<script" not in page.body and "javascript:" not in "".join(links_of(page.body).targets)
    assert "<span>y</span>" in page.body  # what no installation has is no link


def test_the_reference_has_every_endpoint_of_the_schema() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    wanted = {
        (m.upper(), path) for path, methods in schema["paths"].items() for m in methods if m != "parameters"
    }
    shown = [endpoint for endpoints in endpoints_by_area().values() for endpoint in endpoints]
    assert {(endpoint.method, endpoint.address) for endpoint in shown} == wanted
    assert len({endpoint.anchor for endpoint in shown}) == len(shown)


def test_an_endpoints_fields_are_described() -> None:
    shown = {one.anchor: one for endpoints in endpoints_by_area().values() for one in endpoints}
    submit = shown["judgments_submit"]
    assert not submit.needs_token and shown["studies_list"].needs_token
    body = {field.name: field for field in submit.body}
    assert body["assignment"].required and body["assignment"].kind == "uuid"
    assert [reply.status for reply in submit.replies if reply.kind != "refusal"] == ["200", "201"]
    names = {field.name for reply in shown["studies_list"].replies for field in reply.fields}
    assert {"results", "slug"} <= names  # the fields of what is listed, too


@pytest.mark.django_db
def test_the_pages_need_nothing_that_the_policy_forbids(owner_client: Client) -> None:
    for address in (reverse("help"), reverse("help-reference")):
        page = owner_client.get(address)
        text = page.content.decode()
        assert page.headers["Content-Security-Policy"].startswith(POLICY)
        assert set(re.findall(r"<script[^>]*>", text)) <= {
            '<script type="module" src="/static/annotation/times.js">',
            '<script type="module" src="/static/annotation/scrolling.js">',
        }
        assert " style=" not in text and "onclick" not in text
        assert f'href="{reverse("help")}"' in text  # the menu leads there


def test_the_corner_of_a_table_is_no_heading() -> None:
    bodies = [page.body for name in page_names() if (page := guide_page(name))]
    assert [body for body in bodies if re.search(r"<th[^>]*>\s*</th>", body)] == []


def test_every_endpoint_is_described_by_a_sentence_of_its_own() -> None:
    abouts = [endpoint.about for endpoints in endpoints_by_area().values() for endpoint in endpoints]
    assert all(abouts)
    assert [about for about in abouts if abouts.count(about) > 1] == []
