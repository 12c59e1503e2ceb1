"""Finds lengths of time in a text: "5s", "for five seconds", "0:02-0:05", their Russian forms.

Knows the rows of `vocabulary/durations.json`. Must not know shots or cameras.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from .lexicon import expand, fold, vocabulary

_BEFORE, _AFTER = 40, 24  # characters around a hint that a length may reach to


@dataclass(frozen=True)
class Duration:
    """A length found at `start`..`end`; its "for" or "in", if it has one, ends at `led`.

    `total`: the text says it is the whole video's; `cue`: it is a stretch of it ("2-4s");
    `spread`: it may be that of all that was said before ("over 12 seconds").
    """

    seconds: float
    start: int
    led: int
    end: int
    total: bool = False
    cue: bool = False
    spread: bool = False


def find_durations(folded: str) -> list[Duration]:
    """Return the lengths that `folded` names, left to right; moments ("5 seconds ago") are not."""
    found: list[Duration] = []
    for start, end in _windows(folded):
        for match in _pattern().finditer(folded, start, end):
            ranged = match["until"] or match["high"]
            duration = _range(folded, match, found) if ranged else _length(folded, match)
            if duration and duration.seconds > 0:
                found.append(duration)
    return found


def _windows(folded: str) -> Iterator[tuple[int, int]]:
    """Yield the stretches around words such as "sec": only they can hold a length."""
    start = end = 0
    for hint in _hint().finditer(folded):
        if hint.start() - _BEFORE > end:
            if end:
                yield start, end
            start = hint.start() - _BEFORE
        end = hint.end() + _AFTER
    if end:
        yield start, min(end, len(folded))


def _length(folded: str, match: re.Match[str]) -> Duration | None:
    if _is_moment(folded, match) or _decade().search(match[0]):
        return None
    spread = match["lead"] == vocabulary("durations")["spread"]
    total = _is_total(folded, match)
    return Duration(_seconds(match), *_span(match), total=total, spread=spread)


def _range(folded: str, match: re.Match[str], before: Sequence[Duration]) -> Duration:
    """Read "0-2s" and "0:02-0:04" as stretches of the video, and "3-5 seconds" as about four.

    A stretch is also what goes on where the one before ended, or stands in front of a colon.
    """
    if match["until"]:
        length = _clock(match["until"]) - _clock(match["since"])
        return Duration(length, *_span(match), cue=True)
    low, high = float(match["low"]), float(match["high"])
    goes_on = low and before and before[-1].cue and low == sum(d.seconds for d in before if d.cue)
    listed = folded[match.end() :].lstrip().startswith(":")
    if low == 0 or match["unit"] == "s" or goes_on or listed:
        return Duration(high - low, *_span(match), cue=True)
    return Duration((low + high) / 2, *_span(match))


def _span(match: re.Match[str]) -> tuple[int, int, int]:
    start, end = match.span()
    return start, max(match.end("lead"), start), end


def _clock(text: str) -> float:
    minutes, _, seconds = text.rpartition(":")
    return 60 * float(minutes or 0) + float(seconds)


def _seconds(match: re.Match[str]) -> float:
    rows: dict[str, Any] = vocabulary("durations")
    if match["whole"]:
        return rows["whole"][" ".join(match["whole"].split())]
    if match["prefix"]:
        return rows["prefixes"][match["prefix"]]
    if match["labelled"]:
        return float(match["labelled"].replace(",", "."))
    said = match["number"] or match["inverted"] or match["counted"]
    amount = " ".join(said.replace("-", " ").split())
    value = rows["numbers"].get(amount)
    number = float(amount.replace(",", ".")) if value is None else float(value)
    number += 0.5 if match["half"] else 0
    return number * (60 if match["minute"] or match["minutes"] else 1)


def _is_moment(folded: str, match: re.Match[str]) -> bool:
    before, after = _moment()
    lead = folded[max(0, match.start() - 24) : match.start()]
    said = after.match(folded, match.end()) or (not match["lead"] and before.search(lead))
    part_before, part_after = _part()
    part = part_before.search(lead) and part_after.match(folded, match.end())
    return bool(said or part)


def _is_total(folded: str, match: re.Match[str]) -> bool:
    around = folded[max(0, match.start() - 24) : match.start()]
    total = _total()
    return bool(total[0].search(around) or total[1].match(folded, match.end()))


@cache
def _hint() -> re.Pattern[str]:
    return re.compile(vocabulary("durations")["hint"])


@cache
def _pattern() -> re.Pattern[str]:
    rows: dict[str, Any] = vocabulary("durations")
    words = "|".join(expand(fold(word)) for word in sorted(rows["numbers"], key=len, reverse=True))
    digits = r"\d{1,6}(?:[.,]\d{1,2})?"
    whole = "|".join(expand(w) for w in sorted(rows["whole"], key=len, reverse=True))
    second, clock, dash = rows["second"], r"\d{1,2}:\d\d", r"\s{0,2}[-\u2013\u2014]\s{0,2}"
    to = rf"\s{{1,2}}{rows['until']}\s{{1,2}}"
    return re.compile(
        rf"(?<![\w.,$#:])(?:(?P<lead>{rows['lead']})\s{{1,3}})?(?:"
        rf"(?P<since>{clock}){dash}(?P<until>{clock})"
        rf"|(?:{rows['since']}\s{{1,2}})?(?P<low>\d{{1,3}})(?:{dash}|{to})"
        rf"(?P<high>\d{{1,3}})\s{{0,2}}(?P<unit>{second})"
        rf"|(?:{rows['label']})\s{{0,3}}[:=]\s{{0,3}}(?P<labelled>{digits})(?:\s{{0,3}}{second})?"
        rf"|(?P<prefix>{'|'.join(rows['prefixes'])})(?:{rows['prefixed']})"
        rf"|(?P<number>{digits}|{words}){rows['ending']}?(?P<half>\s{{1,2}}{rows['half']})?"
        rf"[\s\-]{{0,2}}(?:(?P<minute>{rows['minute']})|{second})"
        rf"|(?:{rows['inverted']}|(?P<minutes>{rows['inverted_minute']}))\s{{1,2}}"
        rf"(?:(?:{rows['inverted_for']}\s{{1,2}})?(?P<inverted>{words})"
        rf"|(?P<counted>{digits})(?=\s*(?:[.,;:!?)\]]|$)))"
        rf"|(?P<whole>{whole}))(?!\w)"
    )


@cache
def _decade() -> re.Pattern[str]:
    return re.compile(vocabulary("durations")["decade"])


@cache
def _moment() -> tuple[re.Pattern[str], re.Pattern[str]]:
    rows: dict[str, Any] = vocabulary("durations")
    before = re.compile(rf"(?<!\w){rows['not_before']}\s+$")
    return before, re.compile(rf"\s{{1,3}}{rows['not_after']}(?!\w)")


@cache
def _part() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what stands around a length that is a part of something's: "last 5 s of the match"."""
    rows: dict[str, Any] = vocabulary("durations")
    after = re.compile(rf"\s{{1,3}}{rows['part_after']}")
    return re.compile(rf"(?<!\w){rows['part_before']}\s+$"), after


@cache
def _total() -> tuple[re.Pattern[str], re.Pattern[str]]:
    word: str = vocabulary("durations")["total"]
    return re.compile(rf"(?<!\w){word}\W{{1,3}}$"), re.compile(rf"[\s\-]{{1,3}}{word}(?!\w)")
