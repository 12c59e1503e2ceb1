"""What the engine can fail with. Each message is one sentence that says what to do.

EngineError
|-- PictureError      the picture can't be read or is too large
|-- SceneError        the text asks for something impossible
|-- ParameterError    a size, rate, length or format out of its limits
`-- EncodeError       the encoder failed; no file is left
"""

from __future__ import annotations


class EngineError(Exception):
    """Base of everything the engine raises on purpose."""


class PictureError(EngineError):
    """The picture can't be decoded, or is larger than the limit."""


class SceneError(EngineError):
    """The text can't be turned into a scene."""


class ParameterError(EngineError):
    """A size, rate, length or format is outside of its limits."""


class EncodeError(EngineError):
    """Encoding failed; the partial file has been removed."""
