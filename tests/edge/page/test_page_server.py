import socket
import ssl
import subprocess
import sys
import time

import httpx
import pytest
import trustme
from edge_program import environment
from page_end import PASSWORD, Browser, page_of, page_settings
from pydantic import ValidationError
from rig import until

from edge.page.guard.passwords import Passwords
from edge.page.server import serve
from edge.page.settings import PageSettings
from wire.web.problem import PageError


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def pair(authority, tmp_path):
    """Settings of a certificate for this machine."""
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    files = {"cert_file": tmp_path / "page.pem", "key_file": tmp_path / "page.key"}
    certificate.cert_chain_pems[0].write_to_path(files["cert_file"])
    certificate.private_key_pem.write_to_path(files["key_file"])
    return files


def test_the_page_listens_on_this_machine_alone_unless_told_otherwise(server):
    assert PageSettings().host == "127.0.0.1"
    assert server._listening.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_a_sentence_that_says_what_to_set(desk, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PageError, match=rf"port {port} .*set page.host and page.port"):
            serve(desk, page_settings(tmp_path, port=port))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "a" * 300])
def test_an_address_that_is_not_this_machine_s_is_a_sentence(desk, tmp_path, host):
    settings = page_settings(tmp_path, host=host, trusted_proxy="10.0.0.1")
    Passwords(settings.page_password_file).set(PASSWORD)
    with pytest.raises(PageError, match="cannot listen on"):
        serve(desk, settings)


def test_the_port_is_free_again_after_the_page_was_stopped(desk, settings):
    with page_of(desk, settings) as first:
        port = int(first.address.rpartition(":")[2])
    again = settings.model_copy(update={"page": PageSettings(port=port)})
    with page_of(desk, again) as second:
        assert httpx.get(f"{second.address}/healthz").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "scope.lab"])  # noqa: S104  # refused
def test_another_address_without_tls_is_refused_and_told_why(host):
    with pytest.raises(ValidationError, match=r"plain text.*cert_file and key_file"):
        PageSettings(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_this_machine_s_own_addresses_need_neither_tls_nor_password(host):
    assert not PageSettings(host=host).needs_password


def test_another_address_without_a_password_is_refused_and_told_how_to_set_one(
    desk, tmp_path, pair
):
    with pytest.raises(PageError, match="`leukoscope-edge page password`"):
        serve(desk, page_settings(tmp_path, host="0.0.0.0", **pair))  # noqa: S104  # refused


def test_behind_a_proxy_a_password_is_demanded_even_here(desk, tmp_path):
    with pytest.raises(PageError, match="no password"):
        serve(desk, page_settings(tmp_path, trusted_proxy="127.0.0.1"))


def test_certificate_and_key_go_together(pair):
    with pytest.raises(ValidationError, match="set both or neither"):
        PageSettings(cert_file=pair["cert_file"])


def test_a_key_that_is_not_the_certificate_s_is_a_sentence(desk, tmp_path, pair, authority):
    authority.issue_cert("other").private_key_pem.write_to_path(pair["key_file"])
    with pytest.raises(PageError, match="do not load"):
        serve(desk, page_settings(tmp_path, **pair))


def test_a_certificate_that_is_not_there_is_a_sentence(desk, tmp_path, pair):
    pair["cert_file"].unlink()
    with pytest.raises(PageError, match="do not load"):
        serve(desk, page_settings(tmp_path, **pair))


def test_over_tls_a_slide_is_captured_and_the_cookie_stays_under_tls(
    desk, tmp_path, pair, authority
):
    settings = page_settings(tmp_path, host="0.0.0.0", **pair)  # noqa: S104  # with TLS and password
    Passwords(settings.page_password_file).set(PASSWORD)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with page_of(desk, settings) as served:
        port = served.address.rpartition(":")[2]
        assert served.address.startswith("https://")
        browser = Browser(f"https://localhost:{port}", verify=trust)
        assert browser.http.get("/api/state").status_code == 401
        signed_in = browser.sign_in()
        assert "Secure" in signed_in.headers["set-cookie"]
        assert signed_in.headers["set-cookie"].startswith("__Host-")
        browser.press("/slide/start", accession="A-1")
        assert browser.press("/capture").status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"http://localhost:{port}/healthz")
        browser.close()
    assert len(desk.state.lines) == 1


def test_a_trusted_proxy_s_word_is_taken_and_nobody_else_s(desk, tmp_path):
    settings = page_settings(tmp_path, trusted_proxy="127.0.0.1")
    Passwords(settings.page_password_file).set(PASSWORD)
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.8"}
    with page_of(desk, settings) as served:
        host = served.address.removeprefix("http://")
        browser = Browser(served.address, headers=forwarded)
        browser.address = f"https://{host}"  # what the browser before the proxy sends as Origin
        browser.open("/login")
        sent = {"password": "open sesame, please", "csrf": browser.csrf}
        cookie = dict(browser.http.cookies)  # Secure: httpx does not send it over plain HTTP
        assert cookie
        name, value = cookie.popitem()
        answer = browser.http.post(
            "/login",
            data=sent,
            headers={"Origin": f"https://{host}", "Cookie": f"{name}={value}"},
        )
        assert answer.status_code == 403
        assert "192.0.2.8" in served._page.attempts._tried
        browser.close()


def test_nobody_goes_around_the_proxy_that_encrypts(desk, tmp_path):
    settings = page_settings(tmp_path, trusted_proxy="192.0.2.1")
    Passwords(settings.page_password_file).set(PASSWORD)
    with page_of(desk, settings) as served:
        for headers in ({}, {"X-Forwarded-Proto": "https"}):
            answer = httpx.get(f"{served.address}/login", headers=headers)
            assert (answer.status_code, "through its proxy" in answer.text) == (403, True)


@pytest.mark.parametrize("proxy", ["*", "10.0.0.0/8", "proxy.lab"])
def test_one_address_is_trusted_as_a_proxy_and_no_more(proxy):
    with pytest.raises(ValidationError, match="trusted_proxy"):
        PageSettings(trusted_proxy=proxy)


def test_without_a_proxy_forwarded_words_change_nothing(browser, server):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.8"}
    assert browser.press("/slide/end", forwarded).status_code == 200
    assert server._page.attempts._tried == {}


def password_command(tmp_path, entered):
    return subprocess.run(
        [sys.executable, "-m", "edge", "page", "password"],
        env=environment(site="home", device="scope-1", data_dir=tmp_path),
        input=entered,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_sets_the_password_from_stdin(tmp_path):
    ended = password_command(tmp_path, f"{PASSWORD}\n")
    assert ended.returncode == 0, ended.stderr
    assert PASSWORD not in ended.stdout + ended.stderr
    passwords = Passwords(tmp_path / "page.password")
    assert "$m=65536,t=3,p=4$" in passwords.file.read_text()  # RFC 9106, 4.: the second choice
    assert passwords.fits(PASSWORD)


def test_the_command_refuses_a_short_password_without_repeating_it(tmp_path):
    ended = password_command(tmp_path, "geheim\n")
    assert ended.returncode == 2
    assert "10 to 200" in ended.stderr
    assert "geheim" not in ended.stdout + ended.stderr
    assert not (tmp_path / "page.password").exists()


def test_the_command_line_answers_without_loading_the_web_server():
    program = "import sys, edge.cli; print({'fastapi', 'uvicorn', 'argon2'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout.strip() == "set()", ended.stderr


def test_connections_that_ask_for_nothing_keep_nobody_out(desk, settings, monkeypatch):
    monkeypatch.setattr("wire.web.connections.PATIENCE_S", 0.3)
    with page_of(desk, settings) as served:
        at = ("127.0.0.1", int(served.address.rpartition(":")[2]))
        silent = [socket.create_connection(at, 5) for _ in range(70)]
        for one in silent[::2]:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")

        def answers():
            try:
                return httpx.get(f"{served.address}/healthz", verify=False).status_code == 200  # noqa: S501
            except httpx.HTTPError:
                return False

        until(answers, 10, "a connection for who asks")
        for one in silent:
            one.close()


def test_a_stream_and_a_slow_press_are_not_cut_off(desk, settings, monkeypatch):
    monkeypatch.setattr("wire.web.connections.PATIENCE_S", 0.1)
    with page_of(desk, settings) as served:
        browser = Browser(served.address)
        browser.open()
        desk.takes_s = 0.6
        assert browser.press("/autofocus").status_code == 200
        with browser.http.stream("GET", "/preview.mjpeg") as stream:
            pieces = stream.iter_raw()
            began = time.monotonic()
            while time.monotonic() - began < 0.6:
                assert next(pieces)
        browser.close()


def test_settings_of_the_page_are_refused_by_name():
    with pytest.raises(ValidationError, match="docs_url"):
        PageSettings(docs_url="javascript:alert(1)")
    with pytest.raises(ValidationError, match="colour"):
        PageSettings(colour="blue")
