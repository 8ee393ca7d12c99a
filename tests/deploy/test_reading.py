"""The reading room's part of a local system."""

import json
import stat

import pytest

from cloud.accounts.open import open_accounts
from cloud.accounts.people import Accounts
from cloud.reviews.signing import load_key, load_trusted
from cloud.settings import CloudSettings
from deploy.local.home import Home
from deploy.local.reading import first_account, room_settings


@pytest.fixture
def home(tmp_path):
    opened = Home(tmp_path / "home")
    yield opened
    opened.close()


def listed(settings):
    database = open_accounts(settings)
    try:
        return [(one.name, one.role, one.disabled) for one in Accounts(database).list()]
    finally:
        database.close()


def change(settings, work):
    database = open_accounts(settings)
    work(Accounts(database))
    database.close()


def test_all_that_it_keeps_lies_in_the_data_folder_and_the_key_is_for_this_user_only(home):
    settings = CloudSettings(**room_settings(home))
    key = settings.review_key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert load_trusted(settings.review_trusted)
    places = (settings.index_url, settings.accounts_url)
    assert all(str(home.folder) in place.get_secret_value() for place in places)
    for place in (key, *settings.review_trusted, settings.picture_cache):
        assert place.is_relative_to(home.folder)
    assert settings.page.port == home.ports["review"]
    assert settings.page.host == "127.0.0.1"


def test_the_key_of_the_first_run_is_kept(home):
    room_settings(home)
    before = (home.reading / "review.pem").read_bytes()
    room_settings(home)
    load_key(home.reading / "review.pem")
    assert (home.reading / "review.pem").read_bytes() == before


def test_the_first_account_is_a_lead_whose_password_nobody_else_knows(home):
    settings = CloudSettings(**room_settings(home))
    assert first_account(settings, home.credentials)
    assert listed(settings) == [("reader", "lead", False)]
    assert len(home.credentials.reader_password) >= 24
    assert first_account(settings, home.credentials)  # the next run
    assert listed(settings) == [("reader", "lead", False)]


@pytest.mark.parametrize(
    "work",
    [
        lambda accounts: accounts.set_password("reader", "another few words"),
        lambda accounts: accounts.disable("reader"),
    ],
)
def test_a_password_that_was_changed_is_told_and_left_as_it_is(home, work):
    settings = CloudSettings(**room_settings(home))
    first_account(settings, home.credentials)
    change(settings, work)
    before = listed(settings)
    assert not first_account(settings, home.credentials)
    assert listed(settings) == before


def test_a_data_folder_of_an_earlier_version_gets_what_it_lacks_and_keeps_the_rest(tmp_path):
    folder = tmp_path / "home"
    Home(folder).close()
    file = folder / "credentials.json"
    earlier = json.loads(file.read_text())
    del earlier["reader_name"], earlier["reader_password"]
    file.write_text(json.dumps(earlier))
    home = Home(folder)
    home.close()
    assert home.credentials.reader_password
    now = json.loads(file.read_text())
    assert {name: now[name] for name in earlier} == earlier
    assert now["reader_password"] == home.credentials.reader_password
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert home.credentials.reader_password not in repr(home.credentials)
