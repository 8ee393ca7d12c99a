"""The reading room as an app: it can be installed, and a shared phone keeps no result of it."""

from browsers import expect, grave
from reading_room import served_room

IN_CACHES = """async () => {
  const all = [];
  for (const name of await caches.keys()) {
    const kept = await (await caches.open(name)).keys();
    all.push(...kept.map((request) => new URL(request.url).pathname));
  }
  return all;
}"""


def controlled(page):
    """Until the service worker stands between page and server."""
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def test_chromium_finds_nothing_in_the_manifest_that_is_wrong(at, served):
    page = at()
    controlled(page)
    chromium = page.context.new_cdp_session(page)
    manifest = chromium.send("Page.getAppManifest")
    assert manifest["url"].endswith("/manifest.webmanifest")
    assert manifest["errors"] == []
    errors = chromium.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A test's browser windows are private ones, from which nothing is ever installed.
    assert [error["errorId"] for error in errors] in ([], ["in-incognito"])


def test_what_is_kept_on_the_device_is_the_shell_and_nothing_of_a_slide(at, served):
    page = at()
    controlled(page)
    page.goto(served.url("open"))
    expect(page.locator("main img").first).to_be_visible()
    page.goto(served.address)
    kept = page.evaluate(IN_CACHES)
    assert "/offline" in kept
    others = [path for path in kept if not path.startswith("/static/")]
    assert others == ["/offline"]
    text = page.evaluate("caches.match('/offline').then((answer) => answer.text())")
    assert "ada" not in text
    # htmx's note of the path, as in the tab's own history; it ends with the tab.
    tab = page.evaluate("Object.keys(sessionStorage)")
    assert set(tab) <= {"htmx-current-path-for-history"}
    stored = page.evaluate("JSON.stringify({ ...localStorage })")
    assert served.slides["open"] not in stored


def test_a_page_that_comes_through_the_worker_is_still_led_to_the_door(at, served):
    page = at()
    controlled(page)
    page.goto(served.address)
    page.context.clear_cookies()
    page.goto(served.address)
    assert page.url.endswith("/login")


def test_without_a_connection_it_says_so_and_shows_no_result(at, tmp_path):
    with served_room(tmp_path) as short:
        page = at(room=short, breaks=True)
        expect(page.locator(".line").first).to_be_visible()
        controlled(page)
    page.goto(short.address)
    expect(page.get_by_role("heading", level=1)).to_have_text("No connection to the reading room")
    assert "Research use only" in page.locator(".ruo").inner_text()
    background = page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius")
    assert background == "12px"  # its styles are kept, too
    assert grave(page) == []
