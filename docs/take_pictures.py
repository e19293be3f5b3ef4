"""Takes the README's pictures anew, from a demo with simulated answers that runs at `--site`.

    VAR_DIR=var/pictures make demo SIMULATED=1200 PORT=8765   # in another terminal, until the answers are in
    .venv/bin/python docs/take_pictures.py --site http://127.0.0.1:8765 --var var/pictures

`results.png` is the top of the demo study's results. `judging.png` is a pair of the photograph *coffee*, the only one
of the demo's that this repository may show; pairs of others are answered at random until one comes, so use a demo of
its own. Chromium is Debian's, or Playwright's.
"""

import argparse
import shutil
from io import BytesIO
from pathlib import Path
from random import choice

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from annotation.demo import PHOTOGRAPHS
from imaging.pictures import centre_crop, load_photograph

IMAGES = Path(__file__).parent / "images"
SHOWN = "coffee"
LARGEST = (400, 560)
MOST_PAIRS = 60
# By the colours of the original here (x, y) a photograph is known.
PLACES = ((20, 20), (200, 150), (350, 60), (90, 250))
COLOURS_OF_THE_ORIGINAL = """(places) => {
  const shown = document.querySelector('.place[data-slot="original"] .picture img:not(.cover)');
  const canvas = new OffscreenCanvas(shown.naturalWidth, shown.naturalHeight).getContext("2d");
  canvas.drawImage(shown, 0, 0);
  return places.map(([x, y]) => [...canvas.getImageData(x, y, 1, 1).data].slice(0, 3));
}"""


def main() -> None:
    """Both pictures, in docs/images."""
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
    page.screenshot(path=IMAGES / "results.png")
    page.close()
    return link


def take_judging(browser: Browser, link: str) -> None:
    """A pair of the photograph that may be shown. Raises SystemExit where none comes."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(link)
    wanted = _colours_of(SHOWN)
    for number in range(MOST_PAIRS):
        page.locator('[data-answer="left"][aria-disabled="false"]').wait_for()
        page.wait_for_timeout(400)
        if page.evaluate(COLOURS_OF_THE_ORIGINAL, PLACES) == wanted:
            # Photographs are large files: 256 colours are enough for a picture of a page.
            picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(256)
            picture.save(IMAGES / "judging.png", optimize=True)
            return
        page.keyboard.press(choice(["ArrowLeft", "ArrowRight"]))
        _wait_for_next(page, number + 1)
    raise SystemExit(f"No pair of {SHOWN} among {MOST_PAIRS}: run it again.")


def _wait_for_next(page: Page, judged: int) -> None:
    page.wait_for_function(
        "n => document.getElementById('figure').textContent.trim().startsWith(`${n} `)", arg=judged
    )


def _colours_of(name: str) -> list[list[int]]:
    """The colours at PLACES of a demo photograph, as the demo's study shows it."""
    photograph = next(one for one in PHOTOGRAPHS if one.name == name)
    pixels = centre_crop(load_photograph(photograph.path).pixels, *LARGEST)[0]
    return [pixels[y, x].tolist() for x, y in PLACES]


if __name__ == "__main__":
    main()
