"""Takes the README's pictures anew, from a demo with simulated answers that runs at `--site`.

    VAR_DIR=var/pictures make demo SIMULATED=1200 PORT=8765   # in another terminal, until the answers are in
    .venv/bin/python docs/images/take.py --site http://127.0.0.1:8765 --var var/pictures

`results.png` is the top of the demo study's results. `judging.png` is a pair of the photograph *coffee*, the only one
of the demo's that this repository may show; pairs of others are answered at random until one comes, so use a demo of
its own. Chromium is Debian's, or Playwright's.
"""

import argparse
import shutil
from pathlib import Path
from random import choice

from playwright.sync_api import Browser, Page, Response, sync_playwright

from annotation.demo import PHOTOGRAPHS
from imaging.pictures import centre_crop, load_photograph
from imaging.pixels import pixels_sha256
from imaging.png import decode_png

HERE = Path(__file__).parent
SHOWN = "coffee"
LARGEST = (400, 560)
MOST_PAIRS = 60


def main() -> None:
    """Both pictures, beside this file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", default="http://127.0.0.1:8000")
    parser.add_argument("--var", type=Path, default=Path("var"), help="the demo's VAR_DIR")
    arguments = parser.parse_args()
    site = arguments.site.rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--force-color-profile=srgb"]
        )
        link = take_results(browser, site, (arguments.var / "researcher-password").read_text().strip())
        take_judging(browser, link)


def take_results(browser: Browser, site: str, password: str) -> str:
    """The top of the results page; returns the study's link for annotators."""
    page = browser.new_page(viewport={"width": 1280, "height": 1040})
    page.goto(f"{site}/login/?next=/studies/demo/")
    page.get_by_label("Username").fill("researcher")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    link = page.locator("#judge-link").inner_text()
    page.goto(f"{site}/studies/demo/results/?population=simulated")
    page.locator("figure svg").first.wait_for(timeout=120_000)  # a worker may still compute them
    page.screenshot(path=HERE / "results.png")
    page.close()
    return link


def take_judging(browser: Browser, link: str) -> None:
    """A pair of the photograph that may be shown. Raises SystemExit where none comes."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    originals: dict[str, bytes] = {}
    in_turn: list[str] = []
    page.on("response", lambda response: _note(response, originals, in_turn))
    page.goto(link)
    wanted = _pixels_of(SHOWN)
    for number in range(MOST_PAIRS):
        page.locator('[data-answer="left"][aria-disabled="false"]').wait_for()
        page.wait_for_timeout(400)
        if pixels_sha256(decode_png(originals[in_turn[number]])) == wanted:
            page.screenshot(path=HERE / "judging.png")
            return
        page.keyboard.press(choice(["ArrowLeft", "ArrowRight"]))
        _wait_for_next(page, number + 1)
    raise SystemExit(f"No pair of {SHOWN} among {MOST_PAIRS}: run it again.")


def _note(response: Response, originals: dict[str, bytes], in_turn: list[str]) -> None:
    """Keeps which pairs come, in their order, and the original of each."""
    if response.url.endswith("/next/") and response.ok:
        offered = response.json()
        if offered["status"] == "pair":
            in_turn.append(offered["assignment"]["id"])
    elif response.url.endswith("/original.png") and response.ok:
        originals[response.url.split("/")[-2]] = response.body()


def _wait_for_next(page: Page, judged: int) -> None:
    page.wait_for_function(
        "n => document.getElementById('figure').textContent.trim().startsWith(`${n} `)", arg=judged
    )


def _pixels_of(name: str) -> str:
    """The hash of a demo photograph's pixels as the demo's study shows them."""
    photograph = next(one for one in PHOTOGRAPHS if one.name == name)
    return pixels_sha256(centre_crop(load_photograph(photograph.path).pixels, *LARGEST)[0])


if __name__ == "__main__":
    main()
