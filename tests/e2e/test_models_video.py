"""Every video family on a real ComfyUI: from a picture and words to a decoded mp4.

The checkpoints are tiny and random, so nothing is said about what the pictures show: only that what
was promised is delivered, and that every input reaches the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from promptreel.families import FAMILIES

from tests.e2e.comfyui_play import Play, play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.model_graphs import cached, frames, image_to_video, ran


@dataclass(frozen=True)
class Case:
    """A family with settings, and what half a second of it is: frames and rate."""

    family: str
    frames: int
    fps: float
    loads: dict[str, Any] = field(default_factory=dict)
    words: bool = True


CASES = {
    "wan22": Case("wan2.2-i2v-14b", 9, 16),
    "wan22-fast": Case("wan2.2-i2v-14b", 9, 16, {"fast": True}),
    "wan22-5b": Case("wan2.2-ti2v-5b", 13, 24),
    "wan21": Case("wan2.1-i2v", 9, 16),
    "hunyuan15": Case("hunyuan-video-1.5", 13, 24),
    "ltxv": Case("ltx-video", 17, 24),
    "cosmos2": Case("cosmos-predict2", 9, 16),
    "svd-xt": Case("svd", 5, 10, words=False),
    "svd": Case("svd", 5, 10, {"checkpoint": "svd.safetensors"}, words=False),
}
each = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@pytest.fixture(scope="module", autouse=True)
def _pictures(comfyui: ComfyUI) -> None:
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    save(comfyui.input_dir / "other.png", 255 - landscape(320, 240, seed=8))


def test_no_family_is_left_out():
    assert {case.family for case in CASES.values()} == FAMILIES.keys()


@each
async def test_seed_words_and_picture_decide_the_video(comfyui: ComfyUI, case: Case):
    async def made(**wanted: Any) -> tuple[np.ndarray, Play]:
        done = await play(comfyui, image_to_video(case.family, loads=case.loads, **wanted))
        shown, rate = frames(comfyui, done)
        assert (rate, shown.shape) == (case.fps, (case.frames, 64, 128, 3))
        return shown, done

    first, _ = await made(seed=1)
    assert first.std() > 5, "a flat picture would prove nothing"
    other, done = await made(seed=2)
    assert not np.array_equal(first, other)
    assert_models_were_reused(done)
    again, _ = await made(seed=1)
    assert np.array_equal(first, again)
    words, done = await made(seed=1, text="a red fox in the snow, pan left")
    assert np.array_equal(first, words) is not case.words
    assert_models_were_reused(done)
    picture, _ = await made(seed=1, image="other.png")
    assert not np.array_equal(first, picture)


def assert_models_were_reused(done: Play) -> None:
    """The loader "3" and all that it has become came from ComfyUI's cache; the rest ran."""
    assert "3" in cached(done)
    executed = ran(done)
    assert not [name for name in executed if name.partition(".")[0] == "3"]
    assert [name for name in executed if name.startswith("4.")]
