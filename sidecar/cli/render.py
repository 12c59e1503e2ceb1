"""`promptreel render PICTURE TEXT -o out.mp4`: one video, by the engine here or by a service.

Knows the options and how the result is told. Must not know how a video is made: `sidecar.making`
does, and is imported when the options are right.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import NoReturn

from sidecar.making.orders import Made, MakingError, Order, Tell, WrongOrder
from sidecar.rules import COMMON

from .progress import Bar
from .speech import DONE, FAILED, USAGE, complain, say, size

API_KEY = "PROMPTREEL_API_KEY"
_MOST = 256 << 20  # bytes; the engine reads no more either
_MORE = f"""\
The built-in engine makes the video in this process: no server, no model, no GPU; the output's
suffix chooses the format (.mp4 .webm .webp .gif). With --server a PromptReel service makes it
(.mp4); its API key comes from the environment variable {API_KEY}, never from here.

exit status:
  0    the file is there, whole
  1    failed: what and why is said in one sentence; no file
  2    wrong usage: an option, a value or a name that can't be used
  130  interrupted (Ctrl-C): no file; a service's job is canceled
"""


def parser() -> argparse.ArgumentParser:
    """Return the command's parser; its parameters are the contract's."""
    result = argparse.ArgumentParser(
        prog="promptreel render",
        description="Make one video of a picture and a sentence (English or Russian).",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument("picture", metavar="PICTURE", help="a picture's file; - reads stdin")
    result.add_argument("text", metavar="TEXT", help="what should happen in the video")
    result.add_argument("-o", "--output", metavar="FILE", required=True, help="the video's file")
    result.add_argument("--still", metavar="FILE", help="also keep the first frame (.png)")
    for row in COMMON:
        result.add_argument(
            f"--{row.name}",
            metavar="|".join(row.choices) or row.type.upper(),
            choices=row.choices or None,
            help=row.help,
        )
    result.add_argument(
        "--pipeline", metavar="NAME", default="", help="the pipeline; default: the best"
    )
    result.add_argument("--server", metavar="URL", help="the PromptReel service that makes it")
    result.add_argument(
        "-y", "--force", action="store_true", help="replace a file that is there already"
    )
    result.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")
    result.add_argument("--json", action="store_true", help="print one line of JSON when done")
    return result


def run(arguments: Sequence[str]) -> int:
    """Make the video; return the exit status."""
    options = parser().parse_args(list(arguments))
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        made = _make(options)
    except WrongOrder as error:
        complain(str(error))
        return USAGE
    except MakingError as error:
        complain(str(error))
        return FAILED
    except OSError as error:
        complain(f"{error.filename or 'the disk'}: {error.strerror or error}.")
        return FAILED
    finally:
        signal.signal(signal.SIGTERM, before)
    _tell(made, options)
    return DONE


def _make(options: argparse.Namespace) -> Made:
    order = _order(options)
    make = _maker(options.server)
    with Bar(quiet=options.quiet) as bar:
        told: list[str] = []

        def tell(value: float, text: str) -> None:
            if not told:  # the first word is how the text was understood
                told.append(text)
                bar.note(f"Understood: {text}")
            else:
                bar.show(value, text)

        return make(order, tell)


def _maker(server: str | None) -> Callable[[Order, Tell], Made]:
    """Return what makes the video. Its import takes half a second."""
    if server is None:
        from sidecar.making import local  # noqa: PLC0415  as said

        return local.make
    from sidecar.making import remote  # noqa: PLC0415  as said

    key = os.environ.get(API_KEY, "").strip()
    return lambda order, tell: remote.make(order, tell, server, key)


def _order(options: argparse.Namespace) -> Order:
    """Return the order. Raises WrongOrder for what can be seen without making it."""
    if not options.text.strip():
        raise WrongOrder("The text is blank: say what should happen in the video.")
    still = Path(options.still).expanduser() if options.still else None
    if still is not None and still.suffix.lower() != ".png":
        raise WrongOrder(f"The still is a PNG picture: let the name {still.name} end with .png.")
    given = {row.name: getattr(options, row.name) for row in COMMON}
    return Order(
        _picture(options.picture),
        options.text,
        Path(options.output).expanduser(),
        still,
        {name: text for name, text in given.items() if text is not None},
        options.pipeline,
        options.force,
    )


def _picture(name: str) -> bytes:
    if name == "-":
        data = sys.stdin.buffer.read(_MOST + 1)
    else:
        path = Path(name).expanduser()
        if not path.is_file():
            raise WrongOrder(f"There is no picture {path}.")
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    if not data:
        raise WrongOrder("The picture is empty.")
    if len(data) > _MOST:
        raise WrongOrder(f"The picture's file is too large: at most {_MOST >> 20} MB are read.")
    return data


def _tell(made: Made, options: argparse.Namespace) -> None:
    if options.json:
        files = {"file": str(made.file), "still": str(made.still) if made.still else None}
        say(json.dumps(asdict(made) | files))
    elif not options.quiet:
        what = f"{made.seconds:g} s, {made.width}x{made.height}, {size(made.bytes)}"
        say(f"{made.file}: {what}")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
