"""What pictures are called where there are keys, so that nobody can tell what others sent.

The name of a file is all that is asked for it. A name made of the picture's bytes alone could be
guessed by whoever has the same picture: they could ask whether somebody sent it, and since when.
So a name holds a keyed digest of the owner and the bytes (HMAC, RFC 2104), and a tag of the owner,
by which storage is counted. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """Names of one owner's pictures. `secret` never leaves the data folder."""

    secret: str
    tenant: str

    @property
    def prefix(self) -> str:
        """What each name begins with."""
        return f"o{self._keyed('owner', '')[:16]}-"

    def name(self, digest: str) -> str:
        """Return the name of a picture by the digest of its bytes; the same ones give the same."""
        return f"{self.prefix}{self._keyed('picture', digest)[:40]}"

    def _keyed(self, what: str, text: str) -> str:
        message = f"{what}\0{self.tenant}\0{text}".encode()
        return hmac.new(self.secret.encode(), message, hashlib.sha256).hexdigest()
