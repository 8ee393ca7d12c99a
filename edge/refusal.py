"""A capture that does not become a frame."""


class CaptureRefused(Exception):  # noqa: N818  # a verdict, not a fault of the program
    """The capture is refused: a code of docs/refusals.md, what happened, what to do.

    Its text is for the station's own screen and log. Only `may_travel` may leave the station.

    Args:
        reason: the code.
        sentence: what happened, without a path, a file name or another program's words.
        remedy: what to do.
        cause: what exactly happened, in the words of camera or disk; may name a file.
    """

    def __init__(self, reason: str, sentence: str, remedy: str, cause: str = "") -> None:
        super().__init__(" ".join(part for part in (sentence, cause, remedy) if part))
        self.reason = reason
        self.sentence = sentence
        self.remedy = remedy
        self.may_travel = f"{sentence} {remedy}"
