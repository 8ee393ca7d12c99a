"""The words that messages, pages and reports share, so that one thing has one name."""

from typing import Final, Literal

Label = Literal["ALL", "AML", "Normal", "unidentified"]
"""What a white cell or a field is suggested to be; `unidentified` means the model would guess."""

RESEARCH_USE_ONLY: Final = (
    "Research use only. Suggested pre-classification by a computer program, "
    "not verified by a person; not for use in diagnostic procedures."
)
"""Stands in every result, report and page."""

SIGNED_NOTICE: Final = (
    "Research use only. A reader's counts, on top of a suggested pre-classification by a computer "
    "program; not for use in diagnostic procedures."
)
"""Stands where a reader has signed: `RESEARCH_USE_ONLY` says that nobody has verified."""
