"""Pictures of the reading room: fields, cells cut out of them, and what the model looked at."""

from cloud.pictures.open import open_pictures
from cloud.pictures.pictures import Picture, Pictures
from cloud.pictures.problem import PictureError

__all__ = ["Picture", "PictureError", "Pictures", "open_pictures"]
