"""Where the picture of a request comes from: an address of ours, a data: URI, or the web.

Knows the forms of `imageUrl`. Must not know the other fields, or how a picture is checked.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Collection
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from .errors import BadRequest
from .fetch import Fetcher, FetchError
from .http.answers import FILES
from .media import MediaStore, TooLarge, content_type
from .pictures import Pictures

FIELD = "imageUrl"
_FORMS = "It may be what /api/upload gave, a public http(s) address of a picture, or a data: URI."
_SPACE = b" \t\n\f\r"  # what a page may have wrapped base64 with


class Sources:
    """Turns `imageUrl` into the key of a stored picture."""

    def __init__(self, media: MediaStore, pictures: Pictures, fetcher: Fetcher) -> None:
        self._media = media
        self._pictures = pictures
        self._fetcher = fetcher

    async def picture(
        self, address: str, own_hosts: Collection[str], name: Callable[[str], str] = str
    ) -> str:
        """Return the key of the picture at `address`; `name` as in Pictures. Raises BadRequest."""
        if address[:5].lower() == "data:":
            data = await asyncio.to_thread(_decode_data_uri, address)
            return await self._pictures.keep(_one(data), FIELD, name)
        key = _named_key(address)
        if await self._media.touch(key):
            return _picture_key(key)
        if _is_ours(address, own_hosts):
            raise _bad("There is no such picture here: upload it first.", "unknown_image")
        try:
            async with self._fetcher.fetch(address, self._pictures.max_bytes) as chunks:
                return await self._pictures.keep(chunks, FIELD, name)
        except FetchError as error:
            raise _bad(str(error), "image_not_fetched") from None
        except TooLarge:  # as announced, before a byte of it came
            raise self._pictures.too_large(FIELD) from None


def _named_key(address: str) -> str:
    """Return the key that the address ends with; blank if it has not the form of one of ours.

    Keys can't be guessed, so a stored one is ours under whatever host name it is written.
    """
    try:
        _, found, name = urlsplit(address).path.rpartition(FILES)
    except ValueError:
        return ""
    return unquote(name) if found else ""


def _is_ours(address: str, own_hosts: Collection[str]) -> bool:
    """Whether the address can mean nobody but us: a path alone, or one of our host names."""
    if address.startswith("/") and not address.startswith("//"):
        return True
    try:
        return urlsplit(address).netloc.lower() in own_hosts
    except ValueError:
        return False


def _picture_key(key: str) -> str:
    if not content_type(key).startswith("image/"):
        raise _bad("imageUrl names a video: give the address of a picture.", "invalid_image")
    return key


def _bad(sentence: str, code: str) -> BadRequest:
    reason = sentence.removeprefix(f"{FIELD} ")
    return BadRequest(sentence, code=code, details=_FORMS, fields={FIELD: reason})


def _decode_data_uri(address: str) -> bytes:
    """Return the bytes of a data: URI (RFC 2397). Raises BadRequest.

    Base64 is read as browsers do: white space and missing padding are forgiven.
    """
    head, comma, body = address.partition(",")
    data = unquote_to_bytes(body)
    if comma and not head.lower().endswith(";base64"):
        return data
    packed = data.translate(None, _SPACE).rstrip(b"=")
    try:
        padding = b"=" * (-len(packed) % 4)
        return base64.b64decode(packed + padding if comma else b"!", validate=True)
    except ValueError:
        raise _bad("The data: URI in imageUrl is damaged.", "invalid_image") from None


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data
