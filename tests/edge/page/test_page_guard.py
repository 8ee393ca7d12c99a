from contextlib import suppress

import httpx
import pytest
from page_end import Browser, page_of, page_settings

from edge.page.guard.guards import MAX_BYTES

STATE_CHANGING = [
    "/slide/start", "/slide/end", "/capture", "/autofocus", "/scan/start", "/scan/stop",
    "/calibrate", "/barcode", "/login", "/logout",
]  # fmt: skip


@pytest.mark.parametrize("path", STATE_CHANGING)
def test_nothing_is_done_without_the_page_s_own_token(browser, desk, path):
    browser.csrf = ""
    form = {"accession": "A-1", "cells": 5, "password": "x"}
    answer = browser.press(path, **form)
    assert answer.status_code == 403
    assert answer.headers["hx-refresh"] == "true"
    assert desk.asked == []


def test_another_session_s_token_does_not_fit(browser, server, desk):
    other = Browser(server.address)
    other.open()
    browser.csrf = other.csrf
    other.close()
    assert browser.press("/capture").status_code == 403
    assert desk.asked == []


def test_a_forged_cookie_is_no_session(browser, server):
    (name,) = browser.http.cookies.keys()
    answer = httpx.post(
        f"{server.address}/capture",
        headers={"Cookie": f"{name}=abc.{'x' * 27}", "X-CSRF-Token": browser.csrf},
    )
    assert answer.status_code == 403


def test_other_programs_cookies_do_not_hide_ours(browser):
    (mine,) = browser.http.cookies.items()
    for others in ('a b c="; ', "{json}: [1]; ", "x=y=z; =; ", 'unclosed="; '):
        sent = {"Cookie": f"{others}{mine[0]}={mine[1]}", "X-CSRF-Token": browser.csrf}
        answer = httpx.post(f"{browser.address}/slide/end", headers=sent)
        assert answer.status_code == 200, others


def test_after_a_restart_an_open_page_is_told_to_load_itself_again(browser, desk, settings):
    before = dict(browser.http.cookies)
    with page_of(desk, settings) as anew:
        old = Browser(anew.address, cookies=before)
        old.csrf = browser.csrf
        answer = old.press("/slide/end")
        assert (answer.status_code, answer.headers["hx-refresh"]) == (403, "true")
        assert old.http.get("/reload").headers["hx-refresh"] == "true"
        old.open()
        assert old.press("/slide/end").status_code == 200
        old.close()


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", "http://localhost"],
)
def test_a_foreign_page_s_press_is_refused(browser, desk, origin):
    assert browser.press("/capture", {"Origin": origin}).status_code == 403
    assert desk.asked == []


def test_a_press_without_origin_is_refused_when_the_browser_says_it_is_foreign(browser, desk):
    del browser.http.headers["user-agent"]
    sent = {"HX-Request": "true", "X-CSRF-Token": browser.csrf, "Sec-Fetch-Site": "cross-site"}
    assert browser.http.post("/autofocus", headers=sent).status_code == 403
    sent["Sec-Fetch-Site"] = "same-origin"
    assert browser.http.post("/autofocus", headers=sent).status_code == 200
    assert desk.asked == [("autofocus", "page")]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "[::1"])
def test_a_name_that_is_not_this_page_s_is_refused_even_here(browser, host):
    """DNS rebinding: a foreign name that was turned to 127.0.0.1."""
    assert browser.http.get("/api/state", headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost:8730", "127.0.0.1", "[::1]:99", "192.168.7.7"])
def test_addresses_and_this_machine_s_own_name_are_taken(browser, host):
    assert browser.http.get("/healthz", headers={"Host": host}).status_code == 200


def test_further_names_are_taken_from_the_settings(desk, tmp_path):
    with page_of(desk, page_settings(tmp_path, names=("Scope-1.lab.example",))) as served:
        hosts = {"Host": "scope-1.LAB.example"}
        assert httpx.get(f"{served.address}/healthz", headers=hosts).status_code == 200


def test_every_answer_carries_the_headers_that_bind_the_browser(browser):
    answers = [browser.http.get(path) for path in ("/", "/nowhere", "/api/state", "/preview.jpg")]
    answers += [browser.press("/capture"), browser.http.get("/", headers={"Host": "evil.example"})]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_the_page_has_nothing_that_its_policy_forbids(browser):
    text = browser.open().text
    assert "style=" not in text
    assert "<style" not in text
    assert " onclick=" not in text
    assert all("src=" in part.split(">")[0] for part in text.split("<script")[1:])


def test_the_cookie_is_for_this_page_alone(server):
    said = httpx.get(f"{server.address}/").headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=Strict" in said
    assert "Path=/" in said


def test_a_link_from_elsewhere_does_not_cost_the_session(server):
    """The browser keeps the strict cookie back; a new one would overwrite the signed-in one."""
    answer = httpx.get(f"{server.address}/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert 'http-equiv="refresh"' in answer.text


def test_a_large_body_is_refused_whether_it_is_announced_or_not(browser, desk):
    sent = {"X-CSRF-Token": browser.csrf}
    announced = browser.http.post("/slide/start", content=b"x" * (MAX_BYTES + 1), headers=sent)
    assert announced.status_code == 413

    def streamed():
        for _ in range(MAX_BYTES // 100 + 2):
            yield b"y" * 100

    with suppress(httpx.TransportError):  # it may hang up while we talk: its answer is lost then
        chunked = browser.http.post("/slide/start", content=streamed(), headers=sent)
        assert chunked.status_code == 413
    assert desk.asked == []


def test_a_body_that_never_comes_is_not_waited_for(desk, settings, monkeypatch):
    import socket

    monkeypatch.setattr("wire.web.body.PATIENCE_S", 0.2)
    with page_of(desk, settings) as served:
        host, port = served.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 5) as slow:
            slow.sendall(
                b"POST /capture HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"
            )
            slow.settimeout(5)
            assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_there_is_no_page_of_the_interface_that_loads_scripts_from_elsewhere(browser):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert browser.http.get(path).status_code == 404
