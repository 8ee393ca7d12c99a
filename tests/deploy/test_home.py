import json
import socket
import stat
import subprocess
import sys

import pytest

from deploy.local.home import Home, HomeError


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "home"


def test_everything_is_for_this_user_only(folder):
    home = Home(folder)
    home.write_private(home.folder / "cloud.toml", "secret")
    for inner in (
        *(home.broker, home.store, home.station),
        *(home.logs, home.results, home.models, home.trusted_keys),
    ):
        assert mode(inner) == 0o700
    home.close()
    assert mode(folder) == 0o700
    for name in ("credentials.json", "ports.json", "cloud.toml"):
        assert mode(folder / name) == 0o600


def test_a_file_that_others_could_read_is_closed_when_it_is_written_again(folder):
    home = Home(folder)
    file = home.folder / "cloud.toml"
    file.write_text("old")
    file.chmod(0o644)
    home.write_private(file, "new")
    home.close()
    assert (file.read_text(), mode(file)) == ("new", 0o600)
    assert not [p.name for p in folder.iterdir() if p.name.endswith(".new")]


def test_an_empty_folder_is_closed_to_others(folder):
    folder.mkdir(mode=0o755)
    Home(folder).close()
    assert mode(folder) == 0o700


def test_a_folder_in_use_for_something_else_is_refused_and_left_as_it_is(folder):
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "thesis.tex").touch()
    with pytest.raises(HomeError, match="holds other files: name a new or an empty folder"):
        Home(folder)
    assert mode(folder) == 0o755
    assert [p.name for p in folder.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="cannot use the data folder"):
        Home(tmp_path / "file")


def test_a_second_run_is_refused_and_told_which_process_has_the_folder(folder):
    holder = (
        "import sys, os; from pathlib import Path; from deploy.local.home import Home;"
        "home = Home(Path(sys.argv[1])); print(os.getpid(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        pid = other.stdout.readline().strip()
        with pytest.raises(HomeError, match=rf"in use by process {pid}: stop it, or choose"):
            Home(folder)
        other.kill()
    Home(folder).close()  # a killed run leaves no lock behind


def test_credentials_and_ports_are_kept_for_the_next_run(folder):
    first = Home(folder)
    first.close()
    second = Home(folder)
    second.close()
    assert second.credentials == first.credentials
    assert second.ports == first.ports


def test_two_homes_share_neither_credentials_nor_ports(tmp_path):
    homes = [Home(tmp_path / name) for name in ("a", "b")]
    secrets = {h.credentials.s3_secret_access_key for h in homes}
    passwords = {h.credentials.broker_password for h in homes}
    for home in homes:
        home.close()
    assert len(secrets) == len(passwords) == 2
    assert min(map(len, secrets | passwords)) >= 32


def test_a_port_that_was_taken_meanwhile_changes_and_the_others_stay(folder):
    first = Home(folder)
    first.close()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.ports["mqtt"]))
        taken.listen()
        second = Home(folder)
        second.close()
    assert second.ports["mqtt"] != first.ports["mqtt"]
    others = [name for name in first.ports if name != "mqtt"]
    assert [second.ports[n] for n in others] == [first.ports[n] for n in others]


def test_no_two_parts_get_the_same_port(folder):
    for _ in range(5):
        home = Home(folder)
        home.close()
        assert len(set(home.ports.values())) == len(home.ports)
        (folder / "ports.json").unlink()


@pytest.mark.parametrize("name", ["credentials.json", "ports.json"])
@pytest.mark.parametrize("text", ["", "{", '{"other": 1}'])
def test_a_damaged_file_is_named_with_what_to_do(folder, name, text):
    Home(folder).close()
    (folder / name).write_text(text)
    if (name, text) == ("ports.json", '{"other": 1}'):
        Home(folder).close()  # ports of another version: made anew
        return
    with pytest.raises(HomeError, match=rf"{name} is damaged .*delete it"):
        Home(folder)
    (folder / name).unlink()
    Home(folder).close()


def test_secrets_are_not_shown_with_the_credentials(folder):
    home = Home(folder)
    home.close()
    kept = json.loads((folder / "credentials.json").read_text())
    assert kept["broker_password"] not in repr(home.credentials)
    assert kept["s3_secret_access_key"] not in repr(home.credentials)
