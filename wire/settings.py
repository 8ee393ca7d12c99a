"""How every room reads its settings: a TOML file, then the environment, unknown keys refused."""

import os
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class SettingsError(ValueError):
    """A setting is missing, unknown or wrong; the message names it and where it came from."""


class RoomSettings(BaseSettings):
    """Base of each room's settings class. The environment wins over the file.

    A nested setting is written with two underscores: `LEUKOSCOPE_EDGE_BROKER__HOST`.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        env_nested_delimiter="__",
        frozen=True,
        hide_input_in_errors=True,  # a mistyped password is one, too
    )

    _file: ClassVar[Path | None] = None
    read_elsewhere: ClassVar[frozenset[str]] = frozenset()
    """Variables of the prefix, without it, that other code reads: known, and no fields."""

    @classmethod
    def load(cls, file: Path | None = None, **given: Any) -> Self:  # noqa: ANN401  # each field has its own type
        """Read the settings; `given` (from the command line) wins over all.

        Args:
            file: TOML file; None for the one named by `{prefix}CONFIG`, if any.
            given: settings by name; None means not given.

        Raises:
            SettingsError: see there.
        """
        path = file or _file_from_environment(cls)
        if path is not None and not path.is_file():
            raise SettingsError(f"no settings file {path}")
        _refuse_unknown_variables(cls)
        bound: type[Self] = type(
            cls.__name__,
            (cls,),
            {"_file": path, "__module__": cls.__module__, "__doc__": cls.__doc__},
        )
        try:
            return bound(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise SettingsError(_sentences(cls, path, error)) from error
        except (ValueError, OSError) as error:  # not TOML; a nested variable that is not JSON
            where = f" (file {path})" if path else ""
            raise SettingsError(
                f"settings of {cls.__name__} cannot be read{where}: {error}"
            ) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then file; no .env, no secrets folder."""
        if cls._file is None:
            return (init_settings, env_settings)
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, cls._file))


def _prefix(cls: type[RoomSettings]) -> str:
    return str(cls.model_config.get("env_prefix", "")).upper()


def _file_from_environment(cls: type[RoomSettings]) -> Path | None:
    name = os.environ.get(_prefix(cls) + "CONFIG")
    return Path(name) if name else None


def _refuse_unknown_variables(cls: type[RoomSettings]) -> None:
    """pydantic-settings passes over a misspelt variable; a technician would never learn of it."""
    prefix = _prefix(cls)
    known = {name.upper() for name in cls.model_fields} | {"CONFIG"} | cls.read_elsewhere
    for variable in os.environ:
        if variable.upper().startswith(prefix):
            field = variable.upper().removeprefix(prefix).split("__")[0]
            if field not in known:
                raise SettingsError(
                    f"environment variable {variable} is no setting; "
                    f"there are {', '.join(sorted(prefix + name for name in known))}"
                )


def _sentences(cls: type[RoomSettings], path: Path | None, error: ValidationError) -> str:
    lines = [f"settings of {cls.__name__} are wrong" + (f" (file {path})" if path else "") + ":"]
    for problem in error.errors(include_url=False, include_input=False):
        parts = [str(part) for part in problem["loc"]]
        line = f"  {'.'.join(parts) or 'together'}: {problem['msg']}"
        if problem["type"] == "extra_forbidden":
            line += " (there is no such setting)"
        elif parts:
            line += f" (also settable as {_prefix(cls)}{'__'.join(parts).upper()})"
        lines.append(line)
    return "\n".join(lines)
