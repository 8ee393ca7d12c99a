"""What can go wrong with accounts, each told in a sentence."""


class AccountsTroubleError(RuntimeError):
    """The database of accounts cannot be used: nobody comes in, nothing is done unlogged."""


class AccountRefused(ValueError):  # noqa: N818  # a verdict, not a fault of the program
    """Something that accounts do not do, with a code and a sentence that says what to do."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
