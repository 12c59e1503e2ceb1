import math
from itertools import pairwise

import pytest
from promptreel.engine.camera import camera_path
from promptreel.engine.spans import BLEND, MOST_AREA, MOST_SIDE, Span, spans
from promptreel.engine.values import CameraMove, Extent, Shot
from promptreel.engine.view import View

FRAME = Extent(640, 360)
DENSITY = 2.13


def cut(*kinds: str, source: Extent, strength: float = 1.0, seconds: float = 5.0):
    shots = [Shot((CameraMove(kind, strength),)) for kind in kinds]
    path = camera_path(shots, source, FRAME, seconds)
    views = [path.at(i / 119) for i in range(120)]
    return views, list(spans(views, source, FRAME, DENSITY))


def test_a_usual_move_needs_one_span():
    for kind in ("zoom_in", "pan_left", "roll_cw", "dolly_out"):
        _, (span,) = cut(kind, source=Extent(3000, 2000))
        assert (span.first, span.end, span.fade) == (0, 120, 120)


@pytest.mark.parametrize(
    ("kinds", "source"),
    [
        (("zoom_in", "zoom_in"), Extent(3000, 2000)),
        (("zoom_in", "zoom_out"), Extent(500, 4000)),
        (("pan_left",), Extent(30000, 10)),
        (("pan_left",), Extent(20000, 1000)),
    ],
)
def test_spans_follow_one_another_and_overlap(kinds: tuple[str, ...], source: Extent):
    _, cuts = cut(*kinds, source=source, strength=2.2, seconds=20.0)
    assert len(cuts) > 1
    assert cuts[0].first == 0
    assert cuts[-1].end == cuts[-1].fade == 120
    for before, after in pairwise(cuts):
        assert before.end == after.first
        assert before.end < before.fade <= min(before.end + BLEND, 120)


@pytest.mark.parametrize("source", [Extent(30000, 10), Extent(20000, 1000), Extent(3000, 2000)])
def test_a_span_holds_its_views_and_stays_small(source: Extent):
    views, cuts = cut("pan_left", "zoom_in", source=source, strength=3.0, seconds=60.0)
    for span in cuts:
        scale = DENSITY * FRAME.width / span.tight
        assert max(span.extent.width, span.extent.height) * scale <= 1.3 * MOST_SIDE
        margin = 2 * (4 + math.ceil(8 / scale))  # what the filters look at
        inner = Extent(span.extent.width - margin, span.extent.height - margin)
        assert inner.pixels * scale**2 <= 1.3 * MOST_AREA * FRAME.pixels
        for view in views[span.first : span.fade]:
            assert span.tight <= view.width <= span.wide
            assert _holds(span, view)


def _holds(span: Span, view: View) -> bool:
    xs, ys = zip(*view.corners(reached=True), strict=True)
    across = span.left <= min(xs) + 1e-6 and max(xs) - 1e-6 <= span.right
    return across and span.top <= min(ys) + 1e-6 and max(ys) - 1e-6 <= span.bottom
