"""Where the registry's bucket is: TOML file and `LEUKOSCOPE_MODEL_…` variables."""

from typing import ClassVar

from pydantic_settings import SettingsConfigDict

from wire.settings import RoomSettings
from wire.store import BucketSettings


class ModelSettings(RoomSettings):
    """What `publish`, `promote`, `rollback` and `models` need to know."""

    model_config = SettingsConfigDict(env_prefix="LEUKOSCOPE_MODEL_")

    read_elsewhere: ClassVar[frozenset[str]] = frozenset({"CACHE"})
    """`LEUKOSCOPE_MODEL_CACHE` is model/data/gather.py's."""

    store: BucketSettings = BucketSettings()
