"""`leukoscope-cloud push-key`."""

from pathlib import Path

from rich.console import Console

from cloud.push.keys import PushKeyError, new_push_key, public_part


def run_push_key(file: Path) -> int:
    """Make a key and say what to do with it."""
    try:
        key = new_push_key(file)
    except PushKeyError as error:
        Console(stderr=True).print(
            f"[red]leukoscope-cloud:[/red] {error}", highlight=False, soft_wrap=True
        )
        return 1
    console = Console(soft_wrap=True)
    console.print(f"private key  {file}  (setting push_key; keep a copy)")
    console.print(f"public key   {public_part(key)}  (browsers get it from the page)")
    console.print("Set push_contact, too: whom push services may write to, mailto:NAME@HOST.")
    return 0
