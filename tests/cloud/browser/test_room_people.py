"""The pages of people and of the audit log on a phone and on a monitor."""

import pytest
from browsers import grave, picture, small_targets
from playwright.sync_api import expect
from reading_room import PASSWORD, served_room


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A room without slides: these pages show none."""
    with served_room(tmp_path_factory.mktemp("people"), stages=False) as opened:
        opened.room.accounts.set_password("root", PASSWORD)
        audit = opened.room.audit
        audit.note("ada", "slide-viewed", "home", "s3f0a91c2d4e5b6a7f801", "", "192.0.2.7")
        audit.note(
            "ada", "cells-reclassified", "home", "s3f0a91c2d4e5b6a7f801", "cells=3 label=AML"
        )
        audit.note("", "login-refused", address="192.0.2.99", account="grace")
        yield opened


def fits(page):
    """No page scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("monitor", "light")])
@pytest.mark.parametrize("path", ["/people", "/audit", "/account"])
def test_each_fits_and_is_read_by_everybody(at, path, size, scheme):
    page = at(path, size, scheme, "root")
    if path == "/people":
        page.locator(".person", has_text="grace").locator("summary").click()
    assert fits(page)
    assert grave(page) == []
    assert small_targets(page) == []
    if size == "monitor" and path != "/account":
        picture(page, path[1:], "room")


def test_an_admin_adds_disables_and_enables_somebody(at):
    page = at("/people", "phone", "light", "root")
    page.get_by_label("Name", exact=True).fill("Emmy Noether")
    page.locator("#add-role").select_option("lead")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Add").click()
    person = page.locator(".person", has_text="Emmy Noether")
    expect(person.locator(".person-role")).to_have_text("lead")
    person.locator("summary").click()
    person.get_by_role("button", name="Disable").click()
    expect(person.locator(".person-role")).to_have_text("disabled")
    person.locator("summary").click()
    person.get_by_role("button", name="Enable").click()
    expect(person.locator(".person-role")).to_have_text("lead")


def test_a_name_that_is_taken_is_told_on_the_page_and_what_was_typed_stays(at):
    page = at("/people", "phone", "light", "root")
    page.get_by_label("Name", exact=True).fill("ADA")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#error .error-what")).to_contain_text("There is an account 'ada'")
    expect(page.get_by_label("Name", exact=True)).to_have_value("ADA")


def test_a_lead_narrows_the_log_to_a_slide_and_a_reader(at):
    page = at("/audit", "monitor", "light", "lise")
    page.get_by_label("Slide").fill("s3f0a91c2d4e5b6a7f801")
    page.get_by_label("Reader").select_option("ada")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".audit-line")).to_have_count(2)
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".audit-line", has_text="login refused")).to_have_count(1)
