"""The FAKE picamera2 has the signatures of the REAL one: read by `ast` from its wheel on PyPI.

The wheel is downloaded, never installed: it would want libcamera. It is kept in the user's cache.
Two versions: the oldest that the camera takes, and the newest that was looked at.
"""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import fake_picamera2
import platformdirs
import pytest

import edge.cameras.picamera2 as backend

VERSIONS = ("0.3.22", "0.3.38")
CACHE = platformdirs.user_cache_path("leukoscope") / "picamera2"
GIVES = {"camera": "Picamera2", "driver": "Picamera2", "request": "CompletedRequest"}
"""What the names in the backend's code stand for."""


def wheel(version: str) -> Path:
    """The real wheel; without a network and a copy of it the test skips, and fails in CI."""
    file = CACHE / f"picamera2-{version}-py3-none-any.whl"
    if file.is_file():
        return file
    ended = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--only-binary", ":all:", "--retries", "1", "--timeout", "20",
         "--dest", str(CACHE), f"picamera2=={version}"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if file.is_file():
        return file
    reason = f"picamera2 {version} cannot be downloaded: {ended.stderr.strip()[-300:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module", params=VERSIONS)
def real(request) -> dict[str, ast.ClassDef]:
    """The real classes, parsed and not run."""
    with zipfile.ZipFile(wheel(request.param)) as opened:
        trees = [
            ast.parse(opened.read(f"picamera2/{name}.py")) for name in ("picamera2", "request")
        ]
    return {
        node.name: node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)
    }


@pytest.fixture(scope="module")
def fake() -> dict[str, ast.ClassDef]:
    tree = ast.parse(Path(fake_picamera2.__file__).read_text())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return {
        "Picamera2": classes["FakePicamera2"],
        "CompletedRequest": classes["FakeRequest"],
    }


def methods(of: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """What can be called on it; of an overloaded method the one with a body, which comes last."""
    return {node.name: node for node in of.body if isinstance(node, ast.FunctionDef)}


def members(of: ast.ClassDef) -> set[str]:
    """Methods, properties, and attributes that any method gives its instance."""
    given = {
        node.attr
        for node in ast.walk(of)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    return given | set(methods(of))


def parameters(of: ast.FunctionDef) -> list[tuple[str, str]]:
    """Names in order, each with its default: none, the literal, or `…` where it is computed."""
    assert not of.args.kwonlyargs
    assert not of.args.vararg
    names = [argument.arg for argument in (*of.args.posonlyargs, *of.args.args)]
    defaults = ["none"] * (len(names) - len(of.args.defaults))
    defaults += [literal(default) for default in of.args.defaults]
    return list(zip(names, defaults, strict=True))


def literal(default: ast.expr) -> str:
    try:
        return repr(ast.literal_eval(default))
    except ValueError:
        return "…"


def decorators(of: ast.FunctionDef) -> set[str]:
    return {ast.unparse(decorator) for decorator in of.decorator_list} & {
        "contextlib.contextmanager",
        "staticmethod",
    }


def used_by_the_backend() -> set[tuple[str, str]]:
    """Every member of picamera2's classes that our code touches."""
    tree = ast.parse(Path(backend.__file__).read_text())
    return {
        (GIVES[node.value.id], node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in GIVES
    }


SHARED = [
    ("Picamera2", "__init__"),
    ("Picamera2", "global_camera_info"),
    ("Picamera2", "create_still_configuration"),
    ("Picamera2", "configure"),
    ("Picamera2", "start"),
    ("Picamera2", "set_controls"),
    ("Picamera2", "capture_metadata"),
    ("Picamera2", "captured_request"),
    ("Picamera2", "cancel_all_and_flush"),
    ("Picamera2", "close"),
    ("CompletedRequest", "make_array"),
    ("CompletedRequest", "get_metadata"),
    ("CompletedRequest", "release"),
]


@pytest.mark.parametrize(("owner", "name"), SHARED, ids=lambda part: part)
def test_a_method_of_the_fake_is_called_as_the_real_one_is(real, fake, owner, name):
    true, ours = methods(real[owner])[name], methods(fake[owner])[name]
    wanted = parameters(true)
    given = parameters(ours)
    assert [n for n, _ in given] == [n for n, _ in wanted]
    for (parameter, default), (_, as_ours) in zip(wanted, given, strict=True):
        if as_ours != "none":  # the fake may ask for more than the real one, not for less
            assert default in (as_ours, "…"), parameter  # `…` is computed there
    assert decorators(ours) == decorators(true)


def test_every_member_that_the_backend_touches_is_in_the_real_class_and_in_the_fake(real, fake):
    used = used_by_the_backend()
    assert {("Picamera2", "captured_request"), ("CompletedRequest", "make_array")} <= used
    for owner, name in used:
        assert name in members(real[owner]), f"{owner}.{name}"
        assert name in members(fake[owner]), f"{owner}.{name}"


def test_every_method_that_the_backend_calls_has_its_signature_compared(real):
    called = {
        (owner, name) for owner, name in used_by_the_backend() if name in methods(real[owner])
    } - {("Picamera2", "camera_controls")}  # a property
    assert called <= set(SHARED)


def test_what_the_oldest_version_is_asked_for_by_is_in_the_real_class(real):
    assert backend._NEEDED in methods(real["Picamera2"])


def test_a_still_configuration_takes_a_small_stream_and_none_of_raw(real):
    text = ast.unparse(methods(real["Picamera2"])["create_still_configuration"])
    assert "Sycc" in text  # full range: what `rgb` takes the planes for
    assert "'YUV420'" in text
    making = ast.unparse(methods(real["Picamera2"])["_make_initial_stream_config"])
    assert "if updates is None" in making
