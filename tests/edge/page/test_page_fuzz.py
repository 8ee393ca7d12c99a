"""Whatever is sent, the page answers it, and with no fault of its own."""

import os
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

EXAMPLES = int(os.environ.get("LEUKOSCOPE_FUZZ_EXAMPLES", "25"))
PATHS = [
    "/", "/login", "/logout", "/slide/start", "/slide/end", "/capture", "/autofocus", "/reload",
    "/scan/start", "/scan/stop", "/calibrate", "/barcode", "/api/state", "/healthz", "/refusals",
    "/preview.jpg", "/manifest.webmanifest", "/static/", "/qr/", "/frame/",
]  # fmt: skip
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]

calmly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
words = st.text(st.characters(codec="utf-8"), max_size=60)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60).map(
    str.strip
)


def answered(browser, method, path, **sent):
    """The answer, after which the log must hold no fault."""
    with capture_logs() as logs:
        answer = browser.http.request(method, path, **sent)
    faults = [log for log in logs if log["event"] in ("page_fault", "page_server")]
    assert not faults, (method, path, sent)
    assert answer.status_code < 500, (method, path, sent, answer.text)
    return answer


@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_every_path_is_answered(browser, method):
    for path in PATHS:
        answered(browser, method, path, headers={"X-CSRF-Token": browser.csrf})


@calmly
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=300), kind=header_values, whose=words)
def test_bodies_of_any_bytes_and_kind_are_answered(browser, path, body, kind, whose):
    headers = {"X-CSRF-Token": browser.csrf, "Content-Type": kind}
    answered(browser, "POST", path, content=body, headers=headers)


@calmly
@given(
    path=st.sampled_from(PATHS),
    form=st.dictionaries(
        st.sampled_from(["accession", "count", "cells", "resume", "password", "csrf", "x"]), words
    ),
)
def test_forms_of_any_words_are_answered(browser, path, form):
    answered(browser, "POST", path, data=form, headers={"X-CSRF-Token": browser.csrf})


@calmly
@given(end=st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), max_size=60))
def test_paths_of_any_letters_are_answered(browser, end):
    for start in ("/static/", "/qr/", "/frame/", "/"):
        answered(browser, "GET", start + quote(end))


@calmly
@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["Cookie", "Origin", "Host", "HX-Request", "X-CSRF-Token", "Sec-Fetch-Site", "Accept",
             "If-None-Match", "X-Forwarded-For", "Range", "Authorization"]
        ),
        header_values,
    ),
    path=st.sampled_from(PATHS),
    method=st.sampled_from(["GET", "POST"]),
)  # fmt: skip
def test_headers_of_any_words_are_answered(browser, headers, path, method):
    answered(browser, method, path, headers=headers)


def test_cookies_that_are_no_cookies_are_no_session(browser):
    for cookie in ("=", ";;;", 'a="', "leukoscope=.", "a=b=c;", "\xff", "x" * 3000):
        sent = {"Cookie": cookie.encode("latin-1")}
        assert answered(browser, "GET", "/", headers=sent).status_code == 200
