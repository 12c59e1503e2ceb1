"""What the families can fail with. Each message is one sentence that says what to do.

FamilyError       the chosen files can't make a video together, or the request is not possible
`-- HeaderError   a model file is damaged or not what its name says
"""

from __future__ import annotations


class FamilyError(Exception):
    """Base of everything the families raise on purpose."""


class HeaderError(FamilyError):
    """A model file's header can't be read."""
