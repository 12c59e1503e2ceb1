"""Takes the camera's clauses, lengths and tags out of a text and leaves readable sentences.

Knows which clauses were understood. Must not understand any itself: that is `phrases`' part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from .clauses import Clause
from .tokens import Part, words

Span = tuple[int, int]

_HINTS = frozenset(("speed", "direction", "camera", "frame", "opening", "negation"))
_ENDS = ".!?\n\u2026"  # of sentences
_LOOSE = " \t\r,;:|/-\u2013\u2014"  # not to be left standing before a cut, or at a beginning
_PAIRS = ("[]", "()", "{}", "<>", '""', "\u00ab\u00bb", "\u201c\u201d")
_WEIGHT = re.compile(r":\s?\d{1,2}(?:\.\d{1,3})?(?=\))")  # of "(zoom in:1.3)"
_CONNECTOR = re.compile(r"\w|[-=]>|[\u2190-\u21ff\u2794-\u27bf]|>>")  # "then", an arrow


def plain_prompt(
    text: str,
    parts: Sequence[Part],
    clauses: Sequence[Sequence[Clause]],
    is_tag: Callable[[Part], bool],
) -> str:
    """Return `text` without what its `clauses` (a list for each part) ask of the camera.

    `is_tag` tells whether a part in square brackets was understood in some other way.
    """
    gone = _gone(parts, clauses, is_tag)
    for i in range(len(parts) - 2, -1, -1):
        if all(gone[i + 1]) and _is_label(text, parts[i]):
            gone[i] = [True] * len(gone[i])
    spans = sorted(_spans(text, parts, clauses, gone))
    return _without(text, spans) if spans else text.strip()


def _gone(
    parts: Sequence[Part], clauses: Sequence[Sequence[Clause]], is_tag: Callable[[Part], bool]
) -> list[list[bool]]:
    """Tell for each clause of each part whether it goes as a whole."""
    flat = [
        (_is_camera(clause) or (part.tagged and is_tag(part)), clause)
        for part, row in zip(parts, clauses, strict=True)
        for clause in row
    ]
    flags = [flag for flag, _ in flat]
    for i in [*range(1, len(flat)), *range(len(flat) - 2, -1, -1)]:
        beside = flags[i - 1 : i] + flags[i + 1 : i + 2]
        flags[i] = flags[i] or (any(beside) and _is_hint(flat[i][1]))
    rest = iter(flags)
    rows = [[next(rest) for _ in row] for row in clauses]
    for row, said in zip(rows, clauses, strict=True):  # "I want | the camera to rise"
        for k in range(len(row) - 2, -1, -1):
            row[k] = row[k] or (row[k + 1] and _is_filling(said[k]))
    return rows


def _is_label(text: str, part: Part) -> bool:
    """Tell whether a part is the "Motion" of "Motion: zoom in"."""
    named = text[part.start : part.end].strip().lower() in words("labels")
    return named and text[part.end : part.end + 1] == ":"


def _is_filling(clause: Clause) -> bool:
    return bool(clause.tokens) and all("filler" in token.roles for token in clause.tokens)


def _is_camera(clause: Clause) -> bool:
    timed = any(token.duration for token in clause.tokens)
    return clause.pure and (bool(clause.moves) or timed)


def _is_hint(clause: Clause) -> bool:
    """Tell whether a clause says nothing but a speed, a direction, "first" or "camera"."""
    return clause.pure and any(token.kind in _HINTS for token in clause.tokens)


def _spans(
    text: str,
    parts: Sequence[Part],
    clauses: Sequence[Sequence[Clause]],
    gone: Sequence[Sequence[bool]],
) -> Iterator[Span]:
    opening = True  # nothing of this sentence was kept so far
    touched = any(map(any, gone))
    for i, (part, flags) in enumerate(zip(parts, gone, strict=True)):
        opening = opening or part.new_sentence
        whole = all(flags)
        if whole:
            yield part.start, part.end
        else:
            yield from _within(part, clauses[i], flags, opening=opening)
        connector = _CONNECTOR.search(text, parts[i - 1].end if i else 0, part.start)
        if connector and (whole or (opening and touched and (not i or all(gone[i - 1])))):
            yield connector.start(), part.start
        opening = opening and whole


def _within(
    part: Part, clauses: Sequence[Clause], flags: Sequence[bool], *, opening: bool
) -> Iterator[Span]:
    """Yield what goes of a part of which something stays."""
    for k, clause in enumerate(clauses):
        leads = opening and all(flags[:k])
        if flags[k]:
            yield clause.start, clause.end
        elif leads and clause.goal is not None and not part.tagged:
            yield clause.start, clause.goal
            if clause.tail is not None:
                yield clause.tail, clause.end
        elif leads and k and clause.joiner:
            yield clause.start, clause.joiner.end
        if not part.spoken:
            yield from ((token.start, token.end) for token in clause.tokens if token.duration)


def _without(text: str, spans: Sequence[Span]) -> str:
    """Return `text` without the sorted `spans`, its punctuation mended where it was cut."""
    capital = next((c for c in text if c.isalpha()), "").isupper()
    kept, at = text[: spans[0][0]], spans[0][1]
    for _, (start, end) in pairwise([*spans, (len(text), len(text))]):
        if start > at:
            kept = _join(kept, text[at:start], capital=capital)
        at = max(at, end)
    kept = re.sub(r"[ \t]{2,}", " ", kept).strip().rstrip(_LOOSE)
    return kept if re.search(r"\w", kept) else ""


def _join(left: str, right: str, *, capital: bool) -> str:
    bare, right = left.rstrip(_LOOSE), right.lstrip(" \t")
    weight = _WEIGHT.match(right) if bare.endswith("(") else None
    right = right[weight.end() :] if weight else right
    pair = next((p for p in _PAIRS if bare.endswith(p[0]) and right.startswith(p[1])), None)
    if pair:
        bare, right = bare[:-1].rstrip(_LOOSE), right[1:].lstrip(" \t")
    if not bare or bare[-1] in _ENDS:
        right = right.lstrip(_LOOSE + _ENDS + ("" if bare else "]})>"))
        right = right[:1].upper() + right[1:] if capital else right
        return f"{bare} {right}" if bare and bare[-1] != "\n" else bare + right
    if not right or right[0] in ",;:)]}>" + _ENDS:
        return bare + right
    stop = next((c for c in left[len(bare) :] if c in ",;:"), "")
    return f"{bare}{stop} {right}"
