"""A feeder as a program of its own, to be killed: `feeder_program.py SETTINGS.toml`."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from reading_desk import TRUSTED

from cloud.index.open import open_index
from cloud.live.feeder import Feeder
from cloud.live.news import News
from cloud.settings import CloudSettings
from cloud.stores.objects import Objects, open_store

if __name__ == "__main__":
    settings = CloudSettings.load(Path(sys.argv[1]))
    objects = Objects(open_store(settings.store), 0.2, lambda _: None)
    feeder = Feeder(settings, objects, open_index(settings), News(), TRUSTED, print)
    asyncio.run(feeder.keep())
