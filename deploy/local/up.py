"""`leukoscope up`: the parts of a whole system, until Ctrl-C."""

import time
from collections.abc import Callable
from shlex import quote

from rich.console import Console
from rich.markup import escape

from deploy.local.children import Children
from deploy.local.home import Home
from deploy.local.model_line import ModelLine
from deploy.local.store import endpoint
from deploy.local.system import DEVICE, MODEL, SITE, LocalSystem
from wire import topics
from wire.words import RESEARCH_USE_ONLY


def run_up(home: Home, said: Callable[[str], None], console: Console) -> None:
    """Start all, say how to reach it, and watch it until a signal ends this program.

    Raises:
        ChildDiedError: a part ended by itself; all others have been stopped.
    """
    with Children(home.logs) as children:
        system = LocalSystem(home, children, said)
        system.start()
        said("opening the reading room")
        password_kept = system.start_review()
        said("starting the agent")
        system.start_agent()
        _say_how(home, system, children, console, password_kept=password_kept)
        model = ModelLine(system.healthz, said)
        while True:
            children.check()
            model.look()
            time.sleep(0.5)


def _say_how(
    home: Home, system: LocalSystem, children: Children, console: Console, *, password_kept: bool
) -> None:
    files = (home.edge_settings_file, home.cloud_settings_file, home.model_settings_file)
    edge, cloud, model = (quote(str(file)) for file in files)
    store = system.cloud_settings.store
    for name, value in (
        ("capture page", system.page),
        ("reading page", f"{system.reading_page}  ({_sign_in(home, kept=password_kept)})"),
        ("capture a field", f"leukoscope-edge capture --slide 12345 --config {edge}"),
        ("see results", f"leukoscope-cloud results --follow --config {cloud}"),
        ("see the spool", f"leukoscope-edge spool status --config {edge}"),
        ("add a reader", f"leukoscope-cloud user add NAME --role reader --config {cloud}"),
        ("verify reviews", f"leukoscope-cloud verify --all --config {cloud}"),
        ("trust a key", f"cp KEY.pem {quote(str(home.trusted_keys))}"),
        ("publish a model", f"leukoscope-model publish BUNDLE --config {model}"),
        ("make it live", f"leukoscope-model promote {MODEL} VERSION --config {model}"),
        ("live model", f"leukoscope-model models {MODEL} --config {model}"),
        ("broker", f"mqtt://127.0.0.1:{home.ports['mqtt']} (MQTT 3.1.1)"),
        ("frames go to", topics.device(SITE, DEVICE, "frames") + " (docs/asyncapi.yaml)"),
        ("results come on", topics.results(SITE, DEVICE)),
        ("bucket", f"{endpoint(home)}/{store.bucket}"),
        ("worker", f"{system.healthz} and /metrics"),
        ("credentials", f"{home.folder}/credentials.json"),
        ("logs", str(home.logs)),
        ("processes", ", ".join(f"{child.name} {child.pid}" for child in children)),
    ):
        # Never folded: these lines are for copying.
        console.print(f"[bold]{name:<16}[/bold] {escape(value)}", highlight=False, soft_wrap=True)
    console.print(f"[dim]{RESEARCH_USE_ONLY}[/dim]")
    console.print("Running. Ctrl-C stops everything.")


def _sign_in(home: Home, *, kept: bool) -> str:
    name = home.credentials.reader_name
    if kept:
        return f"sign in as {name}; password in {home.folder}/credentials.json"
    return f"{name}'s password is not the one in credentials.json any more, or it is disabled"
