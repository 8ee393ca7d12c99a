"""Names of metadata in a picture file that could tell who it is of. Values are never returned."""

import io
import re
from collections.abc import Iterator
from typing import Final

from PIL import ExifTags, Image, TiffImagePlugin, TiffTags, UnidentifiedImageError

IDENTIFYING: Final = frozenset(
    {
        "Artist", "BodySerialNumber", "CameraOwnerName", "CameraSerialNumber", "Copyright",
        "DateTime", "DateTimeDigitized", "DateTimeOriginal", "DocumentName", "GPSInfo",
        "HostComputer", "ImageDescription", "ImageHistory", "ImageID", "ImageUniqueID",
        "MakerNote", "PageName", "SecurityClassification", "UserComment", "XPAuthor", "XPComment",
        "XPKeywords", "XPSubject", "XPTitle", "JPEG comment", "PNG text", "XMP",
    }
)  # fmt: skip
"""Where cameras, scanners and people put names, dates, places and numbers."""

PLAIN: Final = frozenset(
    {
        "BitsPerSample", "ColorMap", "ComponentsConfiguration", "Compression", "ExifOffset",
        "ExifVersion", "ExtraSamples", "FillOrder", "FlashPixVersion", "ImageLength", "ImageWidth",
        "JPEGTables", "NewSubfileType", "Orientation", "PhotometricInterpretation",
        "PlanarConfiguration", "Predictor", "ResolutionUnit", "RowsPerStrip", "SampleFormat",
        "SamplesPerPixel", "StripByteCounts", "StripOffsets", "SubfileType", "TileByteCounts",
        "TileLength", "TileOffsets", "TileWidth", "XResolution", "YCbCrPositioning",
        "YCbCrSubSampling", "YResolution",
    }
)  # fmt: skip
"""How pixels are stored: they tell nothing of anybody."""

IN_NAMES: Final = {
    "file name: a date": re.compile(
        r"(?<!\d)(?:(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])"
        r"|(?:0[1-9]|[12]\d|3[01])[-_.](?:0[1-9]|1[0-2])[-_.](?:19|20)\d\d)(?!\d)"
    ),
    "file name: a long number": re.compile(r"\d{7,}"),
    "file name: two capitalised words": re.compile(r"[A-Z][a-z]{2,}[ _,.-]+[A-Z][a-z]{2,}"),
}


def traces(raw: bytes, name: str) -> Iterator[str]:
    """Names of tags, and what the file's name looks like.

    Args:
        raw: the file.
        name: of the file, without its folder.
    """
    yield from sorted(said for said, form in IN_NAMES.items() if form.search(name))
    try:
        with Image.open(io.BytesIO(raw)) as image:
            yield from sorted(set(_tags(image)) - PLAIN)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        yield "metadata that Pillow cannot read"


def _tags(image: Image.Image) -> Iterator[str]:
    exif = image.getexif()
    for number in (*exif, *exif.get_ifd(ExifTags.IFD.Exif)):
        yield ExifTags.TAGS.get(number) or f"tag {number}"
    if exif.get_ifd(ExifTags.IFD.GPSInfo):
        yield "GPSInfo"
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        for number in image.tag_v2:
            yield TiffTags.lookup(number).name or f"tag {number}"
    if "comment" in image.info:
        yield "JPEG comment"
    if "xmp" in image.info or "XML:com.adobe.xmp" in image.info:
        yield "XMP"
    if getattr(image, "text", None):  # the keywords are free words: they could be a name, too
        yield "PNG text"
