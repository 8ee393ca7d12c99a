import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from wire.web.settings import ServedSettings

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"host": "0.0.0.0"}, "cert_file"),  # noqa: S104  # refused
        ({"cert_file": "x.pem"}, "go together"),
        ({"trusted_proxy": "*"}, "trusted_proxy"),
        ({"docs_url": "javascript:alert(1)/"}, "docs_url"),
        ({"idle_minutes": 0}, "idle_minutes"),
        ({"prot": 1}, "prot"),
    ],
)
def test_what_would_leave_a_page_open_is_refused(given, word):
    with pytest.raises(ValidationError, match=word):
        ServedSettings(port=1, **given)


def test_a_page_for_others_says_its_address():
    proxied = ServedSettings(port=1, trusted_proxy="::1", names=("room.lab.example",))
    assert proxied.for_others
    assert proxied.address_for_others == "https://room.lab.example"
    assert ServedSettings(port=1, names=("room",)).address_for_others == ""


def test_the_handbook_is_where_it_is_served_or_on_the_page_itself():
    served = ServedSettings(port=1, docs_url="https://lab.example/docs/")
    assert served.handbook == "https://lab.example/docs/refusals.html"
    assert ServedSettings(port=1).handbook == "/refusals"


def test_reading_settings_loads_no_web_server():
    program = (
        "import sys, wire.web.settings; "
        "print({'starlette', 'uvicorn', 'fastapi', 'argon2'} & set(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ended.stdout.strip() == "set()"
