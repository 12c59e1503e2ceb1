"""What can go wrong with model files.

ModelsError            one sentence that says what to do
|-- Unreachable        the Hub does not answer: no further file is tried
`-- Damaged            what arrived is not what the Hub told
"""

from __future__ import annotations


class ModelsError(Exception):
    """One sentence for the person at the keyboard."""


class Unreachable(ModelsError):
    """The Hub does not answer, or the connection broke for good."""


class Damaged(ModelsError):
    """A file arrived whole but its checksum is another one."""
