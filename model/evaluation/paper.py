"""The figures that the paper prints.

Karar et al., "Intelligent Medical IoT-Enabled Automated Microscopic Image Diagnosis of Acute Blood
Cancers", Sensors 2022, 22, 2348: Tables 2 and 3. Measured by its authors on a random 80:20 split of
ALL-IDB (and, for AML, the ASH image bank). All ALL-IDB2 crops are cut out of ALL-IDB1 fields, so
that split leaks; no interval and no seed is printed there.
"""

from typing import Final, NamedTuple

from model.evaluation.measures import Interval, wilson
from model.labels import Class

CITATION: Final = "Karar et al., Sensors 2022, 22, 2348"


class Printed(NamedTuple):
    """Precision, recall and F1 of a class, two digits as printed."""

    precision: float
    recall: float
    f1: float


class Row(NamedTuple):
    """A network of a table."""

    network: str
    classes: dict[Class, Printed]
    accuracy: float


class Table(NamedTuple):
    """A table of the paper."""

    name: str
    classes: tuple[Class, ...]
    images: int
    """In its test part."""
    rows: tuple[Row, ...]


def _binary(network: str, accuracy: float, leukemia: Printed, normal: Printed) -> Row:
    return Row(network, {"ALL": leukemia, "Normal": normal}, accuracy)


def _three(network: str, accuracy: float, *classes: Printed) -> Row:
    lymphoid, myeloid, normal = classes
    return Row(network, {"ALL": lymphoid, "AML": myeloid, "Normal": normal}, accuracy)


TABLE_2: Final = Table(
    "Table 2",
    ("ALL", "Normal"),
    74,
    (
        _binary("VGG-16", 0.9054, Printed(0.84, 1.00, 0.91), Printed(1.00, 0.82, 0.90)),
        _binary("ResNet-50", 0.9324, Printed(0.90, 0.97, 0.93), Printed(0.97, 0.89, 0.93)),
        _binary("DenseNet-121", 0.9730, Printed(0.95, 1.00, 0.97), Printed(1.00, 0.95, 0.97)),
        _binary("AC-GAN", 0.9865, Printed(0.97, 1.00, 0.99), Printed(1.00, 0.97, 0.99)),
    ),
)

TABLE_3: Final = Table(
    "Table 3",
    ("ALL", "AML", "Normal"),
    89,
    (
        _three(
            "VGG-16",
            0.8430,
            Printed(0.86, 0.83, 0.85),
            Printed(0.85, 0.73, 0.79),
            Printed(0.83, 0.89, 0.86),
        ),
        _three(
            "ResNet-50",
            0.9101,
            Printed(0.89, 0.92, 0.90),
            Printed(1.00, 0.80, 0.89),
            Printed(0.90, 0.95, 0.92),
        ),
        _three(
            "DenseNet-121",
            0.9213,
            Printed(0.87, 0.94, 0.91),
            Printed(1.00, 0.87, 0.93),
            Printed(0.95, 0.92, 0.93),
        ),
        _three(
            "AC-GAN",
            0.9550,
            Printed(0.90, 1.00, 0.95),
            Printed(1.00, 0.87, 0.93),
            Printed(1.00, 0.95, 0.97),
        ),
    ),
)


def table_for(classes: tuple[str, ...]) -> Table | None:
    """The table with just these classes, in the order of LABELS; None where the paper has none."""
    return next((table for table in (TABLE_2, TABLE_3) if table.classes == classes), None)


def accuracy(table: Table, row: Row) -> Interval:
    """The printed accuracy with Wilson's interval, ours, of the right images that it implies."""
    _, low, high = wilson(round(row.accuracy * table.images), table.images)
    return Interval(row.accuracy, low, high)
