"""The pattern that the document gives is Unicode's own idea of what can be seen."""

from __future__ import annotations

import sys
import unicodedata

from sidecar.http.visible import says_something

UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}


def test_every_character_is_told_right():
    """Python's Unicode may be older than the pattern: what it has no name for isn't asked."""
    known = ((chr(n), unicodedata.category(chr(n))) for n in range(sys.maxunicode + 1))
    told_wrong = [
        hex(ord(char))
        for char, kind in known
        if kind not in ("Cn", "Cs") and says_something(char) is (kind in UNSEEN)
    ]
    assert not told_wrong


def test_one_character_that_is_seen_is_enough():
    assert says_something(" \u200b" * 100_000 + "a")
    assert not says_something(" \u200b" * 100_000)
