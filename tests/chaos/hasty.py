"""Run the sidecar with leases of a few seconds, without touching its code.

python -m tests.chaos.hasty [options of the sidecar]
"""

from __future__ import annotations

import sys
from functools import partial

from sidecar import dispatcher
from sidecar.__main__ import main

LEASE_S = 3.0

if __name__ == "__main__":
    dispatcher.Pace = partial(dispatcher.Pace, lease_s=LEASE_S, sweep_s=0.5)
    sys.exit(main())
