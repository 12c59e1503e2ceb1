"""`promptreel doctor`: what works here, what does not, and what to do about it.

Knows how the findings are shown. Must not know what is looked at: `sidecar.checkup` does.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

from sidecar.checkup.findings import Finding

from .speech import DONE, FAILED, say

_MARKS = {"ok": "ok ", "note": "-- ", "bad": "BAD"}
_MORE = """\
Every setting of `promptreel serve` is taken too (--port, --data-dir, --comfyui-url ...), and the
environment's as well: it looks at the sidecar that they describe.

exit status:
  0    all that is needed works; a line with -- tells what you can do without
  1    something must be mended: its line begins with BAD
  2    wrong usage: there is no such option
"""


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    result = argparse.ArgumentParser(
        prog="promptreel doctor",
        description="Say what works here, what does not, and what to do about it.",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument("--json", action="store_true", help="print JSON")
    return result


def run(arguments: Sequence[str]) -> int:
    """Look, tell, change nothing; return the exit status."""
    options, settings = parser().parse_known_args(list(arguments))
    from sidecar.checkup.everything import examine  # noqa: PLC0415  loads aiohttp
    from sidecar.settings import parser as of_settings  # noqa: PLC0415  needless for --help

    unknown = of_settings().parse_known_args(settings)[1]
    if unknown:
        parser().error(f"unrecognized arguments: {' '.join(unknown)}")
    findings = examine(settings, os.environ, _version())
    wrong = [finding for finding in findings if finding.state == "bad"]
    if options.json:
        say(json.dumps({"ok": not wrong, "findings": [asdict(one) for one in findings]}, indent=2))
    else:
        say("\n".join(map(_lines, findings)))
        say(f"\n{_summary(len(wrong))}")
    return FAILED if wrong else DONE


def _lines(finding: Finding) -> str:
    head = f"{_MARKS[finding.state]}  {finding.area:<9} {finding.text}"
    return f"{head}\n{'':15}{finding.do}" if finding.do else head


def _summary(wrong: int) -> str:
    if not wrong:
        return "All that is needed works."
    return f"{wrong} {'thing' if wrong == 1 else 'things'} to mend: see BAD above."


def _version() -> str:
    try:
        return version("promptreel")
    except PackageNotFoundError:
        return ""
