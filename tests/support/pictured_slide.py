"""Real fields of the simulator, read by the shipped model, in a store in memory and an index."""

from functools import cache

from frames import frame
from slide_results import capture_id, memory

from cloud.classifier import Classifier
from cloud.index.index import Index
from cloud.pictures import open_pictures
from cloud.reading import Reading, read_frame
from cloud.settings import CloudSettings
from cloud.worker.outcome import store_reading
from imaging.encode import encode_within
from imaging.simulator import Smear
from wire.codec import encode_frame
from wire.messages import Quality
from wire.topics import DeviceTopic

SITE, DEVICE, SLIDE = "home", "scope-1", "s1"
SHARP = Quality(0.8, 0.7, 0.01, 5.0, 0.4)


@cache
def classifier() -> Classifier:
    return Classifier()


@cache
def smear_field(number: int, kind: str = "ALL", seed: int = 7) -> tuple[bytes, int, int]:
    """JPEG, width and height of one simulated field that holds white cells."""
    smear = Smear(seed, kind)
    x = next(x for x in range(5000 + 2000 * number, 10**6, 50) if smear.has_white_cell(x, 700))
    encoded = encode_within(smear.field(float(x), 700.0).image)
    return encoded.data, encoded.width, encoded.height


@cache
def read_field(
    number: int, kind: str = "ALL", slide: str = SLIDE, site: str = SITE, device: str = DEVICE
) -> Reading:
    """The field as a worker reads it; nothing is said of where its cells are."""
    import hashlib

    jpeg, width, height = smear_field(number, kind)
    sent = frame(
        site=site,
        device=device,
        slide=slide,
        capture_id=capture_id(number),
        image=jpeg,
        sha256=hashlib.sha256(jpeg).hexdigest(),
        width=width,
        height=height,
        quality=SHARP,
        finder="",
        cells=None,
    )
    return read_frame(encode_frame(sent), DeviceTopic(site, device, "frames"), classifier())


class Pictured:
    """A bucket and a projection with fields in them, and the pictures of both."""

    def __init__(self, folder, objects=None, **settings):
        self.store, self.objects = memory() if objects is None else (None, objects)
        self.index = Index(f"sqlite:///{folder / 'index.sqlite'}")
        self.settings = CloudSettings(**{"picture_cache": folder / "kept"} | settings)
        self.pictures = open_pictures(self.settings, self.index, self.objects)

    async def hold(self, reading: Reading):
        """Store a field and take it into the index."""
        await store_reading(reading, self.objects)
        self.index.put([reading.result])
        return reading.result

    async def close(self):
        await self.pictures.close()
        self.index.close()
