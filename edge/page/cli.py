"""`leukoscope-edge page`: the capture page's password."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.settings import EdgeSettings

page_app = typer.Typer(
    help="The capture page, which `leukoscope-edge run` serves.", no_args_is_help=True
)

Config = Annotated[Path | None, typer.Option("--config", help="settings file (TOML)")]


@page_app.command()
def password(config: Config = None) -> None:
    """Set the page's password: asked for hidden, or one line on stdin. Signs everybody out."""
    from edge.page.guard.passwords import PasswordError, Passwords

    settings = EdgeSettings.load(config)
    passwords = Passwords(settings.page_password_file)
    try:
        passwords.set(_asked())
    except PasswordError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(f"The page's password is set; its hash lies in {passwords.file}.")


def _asked() -> str:
    if sys.stdin.isatty():
        asked: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().rstrip("\r\n")
