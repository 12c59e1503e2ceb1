"""Grades a picture: night, sunset, black and white, fog, ... (`vocabulary/looks.json`).

Knows colour. Must not know the words that ask for a look (`look_words`), nor cameras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from .air import bloom, grain, haze, lamps, vignette
from .errors import ParameterError
from .lexicon import vocabulary
from .values import Picture

RGB = tuple[float, float, float]

# ITU-R BT.709: how much each channel adds to luma.
_LUMA = (0.2126, 0.7152, 0.0722)

# In which order the groups of looks are applied: what is there, the light on it, the film. So a
# foggy night is dark, and a black-and-white sunset is grey, however the text puts it.
GROUPS = (
    "season", "air", "light", "moon", "temperature", "contrast", "saturation", "style", "tone",
    "film",
)  # fmt: skip


@dataclass(frozen=True)
class Grade:
    """What a look does, in the order of the fields; the defaults do nothing.

    `matrix` mixes the channels (3x3, row by row), `mono` makes a grey of them; `exposure` is in
    stops; `contrast` -1..1 bends an S-curve around the middle; `gain` multiplies the channels'
    whites and `lift` adds to their blacks; `haze`, `bloom`, `lamps` (small lights that stay
    lit), `vignette` and `grain` are strengths 0..1, `air` the haze's colour, `glow` the bloom's.
    """

    matrix: tuple[float, ...] = ()
    mono: RGB | None = None
    saturation: float = 1.0
    exposure: float = 0.0
    contrast: float = 0.0
    gain: RGB = (1.0, 1.0, 1.0)
    lift: RGB = (0.0, 0.0, 0.0)
    haze: float = 0.0
    air: RGB = (0.8, 0.8, 0.8)
    bloom: float = 0.0
    glow: RGB = (1.0, 1.0, 1.0)
    lamps: float = 0.0
    vignette: float = 0.0
    grain: float = 0.0


@cache
def grades() -> dict[str, Grade]:
    """Return what each look does, by its name."""
    rows: dict[str, dict[str, Any]] = vocabulary("looks")
    return {name: Grade(**row["grade"]) for name, row in rows.items()}


LOOKS: tuple[str, ...] = tuple(grades())


def grade(picture: Picture, looks: Sequence[str]) -> Picture:
    """Return a picture with the looks applied in the order of GROUPS; `picture` stays as it is.

    Raises ParameterError for an unknown look.
    """
    unknown = [look for look in looks if look not in grades()]
    if unknown:
        raise ParameterError(f"Unknown look {unknown[0]!r}: use one of {', '.join(LOOKS)}.")
    if not looks:
        return picture
    image = Image.fromarray(picture)
    for look in sorted(looks, key=_place):
        image = _graded(image, grades()[look])
    return np.array(image)


def _place(look: str) -> int:
    return GROUPS.index(vocabulary("looks")[look]["group"])


def _graded(image: Image.Image, look: Grade) -> Image.Image:
    steps: tuple[tuple[bool, Callable[[Image.Image], Image.Image]], ...] = (
        (bool(look.matrix), lambda img: _mixed(img, look.matrix)),
        (look.mono is not None, lambda img: _mixed(img, (look.mono or _LUMA) * 3)),
        (look.saturation != 1, lambda img: _mixed(img, _saturation(look.saturation))),
        (True, lambda img: img.point(_curves(look))),
        (look.haze > 0, lambda img: haze(img, look.haze, look.air)),
        (look.bloom > 0, lambda img: bloom(img, look.bloom, look.glow)),
        (look.lamps > 0, lambda img: lamps(img, image, look.lamps)),
        (look.vignette > 0, lambda img: vignette(img, look.vignette)),
        (look.grain > 0, lambda img: grain(img, look.grain)),
    )
    graded = image
    for wanted, step in steps:
        graded = step(graded) if wanted else graded
    return graded


def _mixed(image: Image.Image, matrix: Sequence[float]) -> Image.Image:
    a, b, c, d, e, f, g, h, i = matrix
    return image.convert("RGB", (a, b, c, 0.0, d, e, f, 0.0, g, h, i, 0.0))


def _saturation(amount: float) -> tuple[float, ...]:
    """Return the matrix that moves colours away from (>1) or to (<1) their luma."""
    rest = 1 - amount
    return tuple(
        rest * _LUMA[column] + (amount if row == column else 0.0)
        for row in range(3)
        for column in range(3)
    )


def _curves(look: Grade) -> list[int]:
    """Return 3 x 256 table entries: exposure, contrast, gain and lift of each channel."""
    base = _contrasted(_exposed(np.arange(256) / 255, look.exposure), look.contrast)
    tables = [
        _shoulder(base * gain) * (1 - lift) + lift
        for gain, lift in zip(look.gain, look.lift, strict=True)
    ]
    values = np.rint(np.concatenate(tables) * 255)
    return [min(max(int(value), 0), 255) for value in values]


def _exposed(values: npt.NDArray[np.float64], stops: float) -> npt.NDArray[np.float64]:
    """Scale the light by 2^stops in the linear domain (gamma 2.2); highlights roll off softly."""
    light = values**2.2 * 2.0**stops
    return _shoulder(light ** (1 / 2.2))


def _shoulder(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Bend what is above 0.8 so that the brightest becomes 1 (Reinhard's extended operator)."""
    knee, top = 0.8, max(float(values.max(initial=0)), 1.0)
    over, most = np.maximum(values - knee, 0) / (1 - knee), (top - knee) / (1 - knee)
    return np.minimum(values, knee) + (1 - knee) * over * (1 + over / most**2) / (1 + over)


def _contrasted(values: npt.NDArray[np.float64], amount: float) -> npt.NDArray[np.float64]:
    """Mix with a smoothstep (>0), or with a flatter line around the middle (<0)."""
    if amount >= 0:
        return values + amount * (values * values * (3 - 2 * values) - values)
    return 0.5 + (values - 0.5) * (1 + amount)
