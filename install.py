"""What people run first; `python install.py --help` tells what it can do.

Standard library only. The work is done in the folder `installer`; this file holds nothing that an
old Python can't read, so that it can say which Python is needed.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036  people do run it with an older one
    sys.exit(
        "PromptReel needs Python 3.10 or newer, and this is Python %d.%d. "  # noqa: UP031  as above
        "Run install.py with a newer Python." % sys.version_info[:2]
    )

from installer.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
