"""What every template is given."""

from dataclasses import dataclass

from cloud.accounts.people import Role


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever looks, as a template shows them."""

    name: str
    """Empty where nobody is signed in."""
    role: Role | None
    csrf: str
    """Goes back with every change."""

    @property
    def reads(self) -> bool:
        """Whether slides are open to them."""
        return self.role in ("reader", "lead")

    @property
    def oversees(self) -> bool:
        """Whether the audit log is open to them."""
        return self.role in ("lead", "admin")


@dataclass(frozen=True, slots=True)
class ErrorView:
    """A refusal or a trouble, as the page shows it."""

    code: str
    sentence: str
    remedy: str
    link: str
    """To the code on the refusals page."""
