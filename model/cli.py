"""`leukoscope-model`: train, export, verify."""

import typer

from model.commands.baseline import baseline
from model.commands.bundle import export, keys_app, verify
from model.commands.data import data_app
from model.commands.evaluation import compare, evaluate
from model.commands.registry import models, promote, publish, rollback
from model.commands.reproduce import reproduce
from model.commands.search import ablate, search
from model.commands.strangers import ood, sample
from model.commands.train import train

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train the AC-GAN, export it as a bundle, verify a bundle. Research use only.\n\n"
    "Exit codes: 0 done; 1 it could not be done, and the message on stderr says why; 2 the "
    "command line or a setting was wrong.",
)

TRAINING = (train, baseline, search, ablate, evaluate, compare, reproduce)
BUNDLES = (export, verify, sample, ood, publish, promote, rollback, models)

for command in (*TRAINING, *BUNDLES):
    app.command()(command)
app.add_typer(keys_app, name="keys")
app.add_typer(data_app, name="data")


def main() -> None:
    """The command `leukoscope-model`."""
    app(prog_name="leukoscope-model")


if __name__ == "__main__":
    main()
