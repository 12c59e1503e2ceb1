from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.families.base import Family, Options
from promptreel.families.limits import Limits, StillLimits

VIDEO = [
    (family.id, family.limits({slot.role: file.name}, Options(fast=fast)))
    for family in FAMILIES.values()
    for slot in family.slots[:1]
    for file in slot.official
    for fast in (False, True)
]
STILL = [
    (family.id, family.limits({family.slots[0].role: file.name}, Options()))
    for family in KEYFRAMES.values()
    for file in family.slots[0].official
]
LIMITS = [limits for _, limits in VIDEO]
SIZES = [*LIMITS, *(limits for _, limits in STILL)]
SIDES = st.floats(0.001, 1e7)
SENSIBLE = st.integers(256, 2048)


@given(st.sampled_from(LIMITS), st.floats(0, 1e6), st.none() | st.floats(0.1, 240))
def test_any_length_becomes_a_legal_frame_count(limits: Limits, seconds: float, fps: float | None):
    frames = limits.frames(seconds, fps)
    assert limits.min_frames <= frames <= limits.max_frames
    assert (frames - limits.frame_offset) % limits.frame_step == 0


@given(st.sampled_from(LIMITS), st.floats(0.1, 20), st.floats(1, 60))
def test_the_frame_count_is_the_nearest_legal_one(limits: Limits, seconds: float, fps: float):
    legal = range(limits.frame_offset, limits.max_frames + 1, limits.frame_step)
    frames = limits.frames(seconds, fps)
    wanted = seconds * fps + limits.frame_offset
    within = [count for count in legal if count >= limits.min_frames]
    best = min(abs(count - wanted) for count in within)
    assert abs(frames - wanted) == pytest.approx(best)


@given(st.sampled_from(LIMITS), st.floats(0.1, 30), st.floats(0.1, 30))
def test_longer_is_never_fewer_frames(limits: Limits, one: float, other: float):
    short, long = sorted((one, other))
    assert limits.frames(short) <= limits.frames(long)


@given(st.sampled_from(SIZES), SIDES, SIDES)
def test_any_size_becomes_a_legal_one(limits: StillLimits, width: float, height: float):
    for extent in (limits.extent_near(width, height), limits.extent_for(width, height)):
        for side in extent:
            assert side % limits.side_step == 0
            assert limits.min_side <= side <= limits.max_side


@given(st.sampled_from(SIZES), SENSIBLE, SENSIBLE)
def test_a_size_stays_near_in_aspect_and_area(limits: StillLimits, width: int, height: int):
    found = limits.extent_near(width, height)
    for side, asked in zip(found, (width, height), strict=True):
        assert abs(side - asked) < limits.side_step
    assert abs(math.log(found[0] / found[1] / (width / height))) < limits.side_step / 256


@given(st.sampled_from(SIZES), SENSIBLE, SENSIBLE)
def test_a_legal_size_is_kept(limits: StillLimits, width: int, height: int):
    legal = limits.extent_near(width, height)
    assert limits.extent_near(*legal) == legal


@given(st.sampled_from(SIZES), SENSIBLE, SENSIBLE)
def test_a_picture_gets_its_aspect_at_the_native_area(limits: StillLimits, width: int, height: int):
    found = limits.extent_for(width, height)
    area = limits.extent[0] * limits.extent[1]
    assert 0.8 < found[0] * found[1] / area < 1.25
    assert abs(math.log(found[0] / found[1] / (width / height))) < 0.25


@given(st.sampled_from(SIZES), SENSIBLE, SENSIBLE)
def test_turning_a_picture_turns_its_size(limits: StillLimits, width: int, height: int):
    assert limits.extent_near(height, width) == limits.extent_near(width, height)[::-1]


@pytest.mark.parametrize(
    ("asked", "found"), [((100_000, 50_000), (4096, 2048)), ((8, 4), (128, 64))]
)
def test_a_size_out_of_bounds_keeps_its_aspect(asked: tuple[int, int], found: tuple[int, int]):
    assert StillLimits(side_step=16, extent=(512, 512)).extent_near(*asked) == found


@pytest.mark.parametrize("limits", SIZES, ids=str)
def test_the_default_size_is_legal(limits: StillLimits):
    assert limits.extent_near(*limits.extent) == limits.extent
    assert limits.extent_for(*limits.extent) == limits.extent


@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_the_bounds_are_legal_counts(limits: Limits):
    assert limits.frames(0) == limits.min_frames
    assert limits.frames(1e9) == limits.max_frames
    assert limits.seconds() == pytest.approx(limits.max_frames / limits.fps)


@pytest.mark.parametrize(
    ("family", "seconds", "frames"),
    [
        ("wan2.2-i2v-14b", 5, 81),
        ("wan2.2-i2v-14b", 2.1, 33),
        ("wan2.1-i2v", 5, 81),
        ("wan2.2-ti2v-5b", 5, 121),
        ("ltx-video", 4, 97),
        ("hunyuan-video-1.5", 5, 121),
        ("cosmos-predict2", 5.8, 93),
        ("svd", 2.5, 25),
        ("svd", 5, 25),
    ],
)
def test_seconds_are_the_frames_people_expect(family: str, seconds: float, frames: int):
    model = FAMILIES[family]
    files = {slot.role: slot.official[0].name for slot in model.slots}
    assert model.limits(files, Options()).frames(seconds) == frames


def _limits(family: str, role: str, name: str) -> Limits:
    return FAMILIES[family].limits({role: name}, Options())


def test_limits_follow_the_file():
    assert _limits("svd", "checkpoint", "svd.safetensors").max_frames == 14
    assert _limits("svd", "checkpoint", "svd_xt_1_1.safetensors").max_frames == 25
    assert _limits("wan2.1-i2v", "model", "wan2.1_i2v_720p_x").extent == (1280, 720)
    assert _limits("wan2.1-i2v", "model", "wan2.1_i2v_480p_x").extent == (832, 480)
    assert _limits("cosmos-predict2", "model", "v2w_480p_10fps").fps == 10
    assert KEYFRAMES["sd"].limits({"checkpoint": "dreamshaper_8"}, Options()).extent == (512, 512)
    assert KEYFRAMES["sd"].limits({"checkpoint": "juggernautXL_v9"}, Options()).extent[0] == 1024


def test_a_distilled_ltx_file_takes_few_steps_without_guidance():
    ltx = FAMILIES["ltx-video"]
    for name in ("ltxv-2b-0.9.6-distilled-04-25.safetensors", "a/LTXV-13B-0.9.8-Distilled.sft"):
        values = ltx.sampling({"checkpoint": name}, Options())
        assert (values.steps, values.cfg) == (8, 1.0)
    dev = ltx.sampling({"checkpoint": "ltxv-2b-0.9.6-dev-04-25.safetensors"}, Options())
    assert (dev.steps, dev.cfg) == (30, 3.0)


def test_what_the_header_says_goes_before_the_name():
    """A merge with a fanciful name, and an SD 1.5 whose name has an "xl" in it."""
    sd = KEYFRAMES["sd"]
    for name, kind, side, steps in (("dreams", "sdxl", 1024, 25), ("pixlart", "sd", 512, 15)):
        files, seen = {"checkpoint": f"{name}.safetensors"}, {"checkpoint": kind}
        assert sd.limits(files, Options(), seen).extent == (side, side)
        assert sd.sampling(files, Options(), seen).steps == steps
    wan = FAMILIES["wan2.1-i2v"]
    for name, kind, ends in (("my_own", "wan21_i2v", False), ("i2v_two", "wan21_flf2v", True)):
        seen = wan.limits({"model": name}, Options(), {"model": kind})
        assert seen.takes_end is ends


@pytest.mark.parametrize(
    ("family", "role", "name", "takes"),
    [
        ("wan2.1-i2v", "model", "wan2.1_i2v_480p_14B_fp16.safetensors", False),
        ("wan2.1-i2v", "model", "wan2.1_flf2v_720p_14B_fp16.safetensors", True),
        ("wan2.1-i2v", "model", "my_own.safetensors", True),
        ("wan2.2-i2v-14b", "high_noise", "any", True),
        ("wan2.2-ti2v-5b", "model", "any", False),
        ("ltx-video", "checkpoint", "any", False),
        ("hunyuan-video-1.5", "model", "any", False),
        ("svd", "checkpoint", "any", False),
        ("cosmos-predict2", "model", "any", True),
    ],
)
def test_an_end_picture_is_taken_by_the_file(family: str, role: str, name: str, takes: bool):
    assert _limits(family, role, name).takes_end is takes
    assert FAMILIES[family].takes_end or not takes


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_no_file_chosen_has_limits_too(family: Family):
    assert family.limits({}, Options()).max_frames > 1


@pytest.mark.parametrize(
    ("asked", "step", "found"),
    [
        ((1920, 1080), 32, (1920, 1088)),
        ((830, 480), 16, (832, 480)),
        ((850, 480), 16, (848, 480)),
        ((639, 639), 16, (640, 640)),
        ((500, 333), 8, (504, 336)),
        ((1279, 719), 8, (1280, 720)),
    ],
)
def test_an_off_grid_size_goes_up_or_down_by_what_is_nearer(
    asked: tuple[int, int], step: int, found: tuple[int, int]
):
    assert StillLimits(side_step=step, extent=(512, 512)).extent_near(*asked) == found
