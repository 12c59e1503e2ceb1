"""Depth as a gentle rubber sheet: how far each point of a frame moves when the camera does.

Knows relief and views. Must not know how pixels are sampled, nor where depth comes from. One
smooth field: no holes, no layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .planes import Affine, view_affine
from .values import Extent
from .view import View

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Relief:
    """Depth around the plane that stands still, -RELIEF..RELIEF, already limited."""

    field: Floats
    source: Extent

    @property
    def from_source(self) -> Affine:
        """The map from the source to the field, continuous coordinates."""
        height, width = self.field.shape
        x, y = width / self.source.width, height / self.source.height
        return np.array([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Bend:
    """One frame's view and the relief it is seen with."""

    relief: Relief
    view: View
    frame: Extent

    def moved(self, relief: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return where points of the frame look, in the frame's own continuous coordinates.

        `x` and `y` (they broadcast) are the points, `relief` is their relief.
        """
        view, frame = self.view, self.frame
        across: Floats = view.push * (frame.width / 2 - x) + view.shift_x * frame.width
        down: Floats = view.push * (frame.height / 2 - y) + view.shift_y * frame.width
        return np.add(x, relief * across), np.add(y, relief * down)

    @property
    def to_field(self) -> Affine:
        """The map from the frame to the relief's field, continuous coordinates."""
        return self.relief.from_source @ view_affine(self.view, self.frame)
