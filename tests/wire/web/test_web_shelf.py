import pytest

from wire.web.shelf import SHARED, Shelf


@pytest.fixture
def own(tmp_path):
    (tmp_path / "room.css").write_text("main { color: red }")
    (tmp_path / "notes.py").write_text("secret = 1")
    return tmp_path


def test_a_page_serves_what_is_shared_and_what_is_its_own(own):
    shelf = Shelf(own)
    assert shelf.file("room.css") == (b"main { color: red }", "text/css; charset=utf-8")
    assert shelf.file("tokens.css")[0] == (SHARED / "tokens.css").read_bytes()


def test_a_page_s_own_file_goes_before_a_shared_one_of_the_same_name(own):
    (own / "tokens.css").write_text(":root {}")
    assert Shelf(own).file("tokens.css")[0] == b":root {}"


def test_only_files_for_browsers_are_served(own):
    shelf = Shelf(own)
    for name in ("notes.py", "../shelf.py", "", "vendor", "/etc/passwd"):
        assert shelf.answer(name, None) is None
        with pytest.raises(KeyError):
            shelf.url(name)


def test_under_its_digest_a_file_is_kept_for_good_and_asked_for_anew_without(own):
    shelf = Shelf(own)
    under = shelf.url("room.css").removeprefix("/static/")
    assert "immutable" in shelf.answer(under, None).headers["cache-control"]
    plain = shelf.answer("room.css", None)
    assert plain.headers["cache-control"] == "no-cache"
    assert shelf.answer("room.css", plain.headers["etag"]).status_code == 304


def test_any_change_of_a_file_is_another_address(own):
    before = Shelf(own).url("tokens.css")
    (own / "room.css").write_text("main { color: blue }")
    assert Shelf(own).url("tokens.css") != before


def test_somebody_who_works_on_the_files_sees_them_at_once(own):
    shelf = Shelf(own, fresh=True)
    (own / "room.css").write_text("main {}")
    shelf.url("room.css")
    assert shelf.file("room.css")[0] == b"main {}"
