"""Stored pictures: small squares, re-encoded from uploads."""

from io import BytesIO
from threading import Lock
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _

SIDE = 256  # pixels
# A few kilobytes can decode to any number of pixels, each using up to twenty bytes. JPEGs, as cameras make, are scaled
# down while reading; other formats decode every pixel.
MOST_PIXELS = {"JPEG": 25_000_000}
MOST_OF_OTHERS = 9_000_000
_one_at_a_time = Lock()


def square_webp(picture: IO[bytes]) -> bytes:
    """Return an image as a square WebP, without metadata (e.g. location) and scripts.

    Call it outside transactions: a large picture takes too long to hold SQLite's lock. Raises Invalid for a non-image
    or an oversized one.
    """
    try:
        with Image.open(picture, formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            _check_size(image)
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            with _one_at_a_time:  # ten uploads at once don't take ten times the memory
                square = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (SIDE, SIDE))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid({"avatar": _("This file isn’t a picture. Upload a PNG, JPEG, GIF or WebP.")}) from None
    out = BytesIO()
    square.save(out, "WEBP", quality=85)
    return out.getvalue()


def _check_size(image: Image.Image) -> None:
    """Raise Invalid for too many pixels, read from the header alone."""
    most = MOST_PIXELS.get(image.format or "", MOST_OF_OTHERS)
    if image.width * image.height > most:
        sentence = _("The picture has more than {number} megapixels. Upload a smaller one.")
        raise Invalid({"avatar": sentence.format(number=most // 1_000_000)})
