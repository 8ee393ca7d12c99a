"""Debian's Chromium on a page, and what a test asks of it."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

SIZES = {"phone": (390, 844), "touch": (800, 480), "monitor": (1440, 900)}
PICTURES = Path(__file__).parents[2] / "docs" / "images"
PATIENCE_MS = 20_000

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window; skips without Chromium, and fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "Chromium is not installed (apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have Chromium: {reason}")
        pytest.skip(reason)
    # Root may not use Chromium's sandbox; the pages are our own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def show(
    browser: Browser,
    address: str,
    size: str,
    scheme: str,
    *,
    breaks: bool = False,
    path: str = "",
    cookie: dict[str, str] | None = None,
) -> Iterator[Page]:
    """The page on a screen; fails when its scripts or its policy complain.

    With `breaks` they may: the server is to be taken away. `cookie` signs somebody in.
    """
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        has_touch=size != "monitor",
    )
    context.set_default_timeout(PATIENCE_MS)
    if cookie is not None:
        context.add_cookies([cookie])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _complains(said) else None)
    page.on("request", lambda asked: complaints.append(asked.url) if _away(asked, address) else 0)
    page.goto(address + path, wait_until="domcontentloaded")
    yield page
    context.close()
    assert breaks or not complaints, complaints


def _complains(said: object) -> bool:
    # That a request was refused is what some tests are about; the page says it itself.
    return said.type in ("error", "warning") and "Failed to load resource" not in said.text


def _away(asked: object, address: str) -> bool:
    """Whether the page asks anything of another machine."""
    return not asked.url.startswith(address)


def start_slide(page: Page, accession: str) -> str:
    """Type the number as a scanner does, with Enter at its end; returns the token."""
    expect(page.locator("#accession")).to_be_focused()
    page.keyboard.type(accession)
    page.keyboard.press("Enter")
    token = page.locator(".token")
    expect(token).to_have_text(re.compile(r"s[0-9a-f]{20}"))
    return token.inner_text()


def newest(page: Page) -> str | None:
    """Capture id of the last capture that is shown."""
    shown = page.locator(".latest")
    return shown.get_attribute("data-capture") if shown.count() else None


def capture_stored(page: Page, press: str = "") -> str:
    """Press Capture (or a key), and wait until its result is shown; returns the capture id."""
    before = newest(page)
    if press:
        page.keyboard.press(press)
    else:
        page.locator("#capture").click()
    latest = page.locator(f".latest:not([data-capture='{before}'])")
    expect(latest.locator(".ticks .is-done")).to_have_count(3)
    expect(latest.locator(".suggestion")).to_contain_text("preliminary")
    return str(latest.get_attribute("data-capture"))


def grave(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{issue['id']}: {[node['target'] for node in issue['nodes']]}"
        for issue in found
        if issue["impact"] in ("serious", "critical")
    ]


def small_targets(page: Page) -> list[str]:
    """What can be pressed and is less than 44 pixels high or wide."""
    said: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(
            "a, button, input:not([type=hidden]), select, summary, textarea")]
          .filter((one) => !one.matches(".skip") && one.checkVisibility())
          .map((one) => [one, one.getBoundingClientRect()])
          .filter(([, box]) => box.height < 44 || box.width < 44)
          .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.width}×${box.height}`)"""
    )
    return said


def covered(thing: Locator) -> list[str]:
    """What lies over the corners of it, a finger's breadth inside."""
    said: list[str] = thing.evaluate(
        """(it) => {
          const box = it.getBoundingClientRect();
          const [left, right, top, bottom] =
            [box.left + 12, box.right - 12, box.top + 6, box.bottom - 6];
          return [[left, top], [right, top], [left, bottom], [right, bottom]]
            .map(([x, y]) => document.elementFromPoint(x, y))
            .filter((on) => !it.contains(on)).map((on) => on?.outerHTML.slice(0, 60) ?? "nothing");
        }"""
    )
    return said


def picture(page: Page, name: str, of: str = "station") -> None:
    """Into the handbook, when LEUKOSCOPE_SCREENSHOTS=1; colours reduced so that it stays small."""
    if os.environ.get("LEUKOSCOPE_SCREENSHOTS") != "1":
        return
    page.wait_for_timeout(600)  # the preview's next picture
    file = PICTURES / f"{of}-{name}.png"
    page.screenshot(path=file)
    with Image.open(file) as shot:
        small = shot.convert("RGB").quantize(256, dither=0, kmeans=1)
    small.save(file, optimize=True)
