"""Who may order what: the station's list, its key, and the age of an order."""

from collections.abc import Callable
from datetime import UTC, datetime

from edge.commands.names import NAMES, CommandName
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from wire.command_key import command_key, is_signed
from wire.messages import Command


class Permit:
    """Above what the broker's access list allows.

    Args:
        settings: of this station.
        now: the station's clock.

    Raises:
        CommandKeyError: the key of the settings cannot be used.
    """

    def __init__(self, settings: EdgeSettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        file = settings.command_key_file
        self._key = None if file is None else command_key(file)

    def named(self, payload: bytes, command: Command) -> CommandName:
        """The command's name, when it may be ordered here.

        Raises:
            CaptureRefused: `unknown-command`, `signature-wrong` or `command-not-allowed`.
        """
        if not self._is_signed(payload):
            raise CaptureRefused(
                "signature-wrong",
                "The command is not signed with this station's command key.",
                "Set command_key_file where it is sent from.",
            )
        name = next((name for name in NAMES if name == command.command), None)
        if name is None:
            raise CaptureRefused(
                "unknown-command",
                "There is no such command.",
                f"There are {', '.join(NAMES)}.",
            )
        if name not in self._settings.allow_commands:
            raise CaptureRefused(
                "command-not-allowed",
                f"This station does not take {name} from afar.",
                "Its setting allow_commands lists what it takes.",
            )
        return name

    def check_recorded(self, command: Command) -> None:
        """Refuse an old order where orders are signed: one that was recorded is good no longer.

        Without a key whoever sends may also write a new one, and age tells nothing.

        Raises:
            CaptureRefused: `command-expired`.
        """
        if self._key is not None:
            self.check_age(command)

    def check_age(self, command: Command) -> None:
        """Refuse what waited too long on its way.

        Raises:
            CaptureRefused: `command-expired`.
        """
        unsigned = self._key is None and command.at is None
        age_s = 0.0 if unsigned else self._age_s(command.at)
        if abs(age_s) > self._settings.command_max_age_s:
            raise CaptureRefused(
                "command-expired",
                f"The command was not carried out: it is {age_s:.0f} s old by the station's clock.",
                "Send it again. If that does not help, one of the two clocks is wrong.",
            )

    def _age_s(self, at: datetime | None) -> float:
        """A signed order without a time would be good for ever: infinitely old."""
        return float("inf") if at is None else (self._now() - at).total_seconds()

    def _is_signed(self, payload: bytes) -> bool:
        where = self._settings.site, self._settings.device
        return self._key is None or is_signed(payload, *where, self._key)


def station_clock() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)
