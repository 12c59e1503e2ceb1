"""Signatures of webhooks, by the library of Standard Webhooks. Knows nothing of jobs or HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook


class Signer:
    """Signs with each secret: two while one replaces the other."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._webhooks = [Webhook(secret) for secret in secrets]

    def headers(self, message_id: str, moment: datetime, body: str) -> dict[str, str]:
        """Return the headers that prove who sent the body, and when. `moment` is in UTC."""
        signatures = [webhook.sign(message_id, moment, body) for webhook in self._webhooks]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
