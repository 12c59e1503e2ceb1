"""Which texts say anything: the one rule that both the service and its document know.

Must not know requests.
"""

from __future__ import annotations

import re

# Unicode's spaces, control and format characters; written so that Python, ECMAScript's "u"
# patterns and Rust read it. Half a surrogate pair, which Rust can't name, is no text and refused
# before. What Unicode has no name for yet may be a new emoji: it shows.
VISIBLE = (
    r"[^\u0000-\u0020\u007f-\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680"
    r"\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff"
    r"\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f]"
)
BLANK = f"^{VISIBLE.replace('^', '', 1)}*$"  # the whole of a text that says nothing
_visible = re.compile(VISIBLE)


def says_something(text: str) -> bool:
    """Return whether there is anything to be seen in a text."""
    return _visible.search(text) is not None
