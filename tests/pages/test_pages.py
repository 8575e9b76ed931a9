"""The pages in a real browser: Debian's Chromium, driven by Playwright, and looked over by axe.

They are those that the claims leave in the target directory (`make pages`).
"""

import os
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "tmp/pages"
NAMES = ["whole", "bare", "refused", "unconfirmed", "hostile", "hostile-index", "index"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# The browser itself calls nobody; the sandbox of a process without privileges is not to be had everywhere.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
SERIOUS = ("serious", "critical")
PARTS = ["cpu", "instances", "traffic", "back-test", "fit", "latency", "frontier", "history", "ledger"]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="NOT TESTED: the pages in a browser, since there is no Chromium here (apt-get install chromium)"
)


@pytest.fixture(scope="session")
def browser():
    missing = [name for name in NAMES if not (PAGES / f"{name}.html").exists()]
    assert not missing, f"{missing} are not in {PAGES}: run `make pages` first"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Opened:
    """A page, what it asked for and what it complained of."""

    def __init__(self, browser, name, width=1440, scheme="light"):
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.address = (PAGES / f"{name}.html").as_uri()
        self.page.goto(self.address)


@pytest.fixture
def opened(browser):
    pages = []

    def opened(*args, **more):
        pages.append(Opened(browser, *args, **more))
        return pages[-1]

    yield opened
    for page in pages:
        page.page.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_without_complaint_and_asks_nobody(opened, name):
    it = opened(name)
    it.page.wait_for_timeout(200)
    assert it.complaints == []
    assert [url for url in it.requests if not url.startswith("data:")] == [it.address]


@pytest.mark.parametrize("width", [360, 760, 761, 1440])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_no_wider_than_its_screen_with_every_table_open(opened, name, width):
    page = opened(name, width=width).page
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1440])
def test_letters_in_pictures_can_be_read_and_lie_within_them(opened, width):
    page = opened("whole", width=width).page
    seen = page.evaluate("""() => [...document.querySelectorAll('svg.chart')]
        .filter(svg => getComputedStyle(svg).display != 'none')
        .map(svg => {
            const box = svg.getBoundingClientRect();
            const texts = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect(),
                parseFloat(getComputedStyle(text).fontSize) * box.width / svg.viewBox.baseVal.width]);
            return { name: svg.ariaLabel, size: Math.min(...texts.map(it => it[2])),
                outside: texts.filter(([, at]) => at.left < box.left - 12 || box.right + 12 < at.right).map(it => it[0]) };
        })""")
    assert len(seen) >= len(PARTS)
    assert [it for it in seen if it["size"] < 10] == []
    assert [it for it in seen if it["outside"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_serious(opened, name, width, scheme):
    page = opened(name, width=width, scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    faults = [(it["id"], it["impact"], it["nodes"][0]["html"]) for it in Axe().run(page).response["violations"]]
    assert [fault for fault in faults if fault[1] in SERIOUS] == []


def test_axe_finds_what_it_is_for(opened):
    page = opened("whole").page
    page.evaluate("document.querySelector('svg.wide').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('h1').style.color = '#eeeeee'")
    found = {it["id"] for it in Axe().run(page).response["violations"] if it["impact"] in SERIOUS}
    assert found == {"svg-img-alt", "color-contrast"}


def luminance(color: str) -> float:
    channels = [int(float(part)) / 255 for part in color.removeprefix("rgb(").rstrip(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_drawn_stands_out_from_the_paper(opened, scheme):
    """Axe does not look into pictures: text needs 4.5 to 1, lines 3 to 1; what was left out of the line may be paler."""
    page = opened("whole", scheme=scheme).page
    paper = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (paper < 0.1) == (scheme == "dark")
    drawn = page.evaluate("""() => [...document.querySelectorAll('svg.wide text, svg.wide .line')].map(it =>
        [it.tagName, it.getAttribute('class'), getComputedStyle(it)[it.tagName == 'text' ? 'fill' : 'stroke']])""")
    contrast = {}
    for tag, kind, color in drawn:
        light, dark = sorted([luminance(color), paper], reverse=True)
        contrast[tag, kind] = (light + 0.05) / (dark + 0.05)
    kinds = {key: value for key, value in contrast.items() if "grid" not in key[1]}
    assert len(kinds) > 8
    assert {key: value for key, value in kinds.items() if value < (4.5 if key[0] == "text" else 3)} == {}


def test_names_stay_text(opened):
    page = opened("hostile").page
    name = "<script>alert('x')</script>\"&amp;<img src=x onerror=alert(1)> `$(reboot)` ../.."
    assert page.text_content("h1") == name
    assert page.title() == f"{name}: scaling advice"
    assert name in page.text_content("#history")
    assert page.locator("script, img, iframe, object, form").count() == 0
    index = opened("hostile-index").page
    assert index.text_content("tbody th") == name


def test_printed_it_is_dark_on_light_with_every_table(opened):
    page = opened("whole", scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) > 0.9
    heights = page.evaluate("[...document.querySelectorAll('details table')].map(it => it.getBoundingClientRect().height)")
    assert len(heights) > 10 and min(heights) > 20


def test_without_a_pointer_everything_can_be_reached(opened):
    page = opened("whole").page
    page.keyboard.press("Tab")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY" and "CPU by day" in page.evaluate(
            "document.activeElement.textContent"
        ):
            page.keyboard.press("Enter")
            assert page.locator("#cpu details table").first.is_visible()
            return
    raise AssertionError("the table of CPU is out of reach")
