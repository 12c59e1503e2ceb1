"""`python -m bench.render`: prints how the renderer compares, as ratios within one run.

Needs the machine for itself. `--rounds 1 --quick` only shows that the bench works.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator

from bench.peers import Peers, memory, peers
from bench.quality import before_encoding, decoded
from bench.rounds import Check, table
from bench.speed import speed

PARTS = ("speed", "peers", "quality", "memory")


def main() -> None:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all without one")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="720p only, few frames measured")
    parser.add_argument("--moviepy", help="a Python that has moviepy; this one without it")
    asked = parser.parse_args()
    sizes = ("720p",) if asked.quick else ("720p", "1080p")
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for part in asked.parts or PARTS:
        for title, checks in _part(part, sizes, asked):
            print(table(title, checks), flush=True)


def _part(
    part: str, sizes: tuple[str, ...], asked: argparse.Namespace
) -> Iterator[tuple[str, list[Check]]]:
    """Yield the part's tables: title and checks."""
    found = Peers.found(asked.moviepy) if part in ("peers", "quality") else Peers(None, None)
    if part == "speed":
        for size in sizes:
            yield f"Speed at {size}, medians of {asked.rounds} rounds", speed(size, asked.rounds)
    elif part == "peers":
        yield f"Whole processes, medians of {asked.rounds} rounds", peers(asked.rounds, found)
    elif part == "quality":
        chosen = range(50, 62, 2) if asked.quick else range(0, 120, 2)
        for size in sizes:
            yield f"Frames before encoding at {size}", before_encoding(size, chosen)
        yield "Decoded", decoded(found.ffmpeg)
    elif part == "memory":
        yield "Memory", memory()
    else:
        raise SystemExit(f"Unknown part {part!r}: use some of {', '.join(PARTS)}.")


if __name__ == "__main__":
    main()
