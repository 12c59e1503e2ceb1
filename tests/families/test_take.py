"""A wish becomes a legal take, and what was changed is told in sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promptreel.families import FAMILIES
from promptreel.families.base import FamilyError, Options, Sampling
from promptreel.families.take import Chosen, Knobs, Wish, extent, resized, take, tuned

WAN, SVD, LTX, COSMOS = (
    FAMILIES[name] for name in ("wan2.1-i2v", "svd", "ltx-video", "cosmos-predict2")
)
PLAIN, WIDE = Options(), (1600, 900)


def chosen(family, **files):
    first = {slot.role: slot.official[0].name for slot in family.slots}
    return Chosen(family.id, {**first, **files}, PLAIN)


def made(family, wish, **files):
    return take(family, chosen(family, **files), wish)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.id)
@given(
    picture=st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    width=st.integers(0, 9000),
    height=st.integers(0, 9000),
    seconds=st.just(0.0) | st.floats(0.5, 60),
    fps=st.just(0.0) | st.floats(1, 60),
)
def test_any_wish_becomes_legal(family, picture, width, height, seconds, fps):
    limits = family.limits(chosen(family).files, PLAIN)
    found = made(family, Wish(picture, width, height, seconds, fps))
    for side in (found.width, found.height):
        assert side % limits.side_step == 0
        assert limits.min_side <= side <= limits.max_side
    assert (found.frames - limits.frame_offset) % limits.frame_step == 0
    assert limits.min_frames <= found.frames <= limits.max_frames
    assert found.fps == (fps or limits.fps)


def test_nothing_asked_is_the_familys_own_area_in_the_pictures_shape():
    found = made(WAN, Wish(WIDE))
    assert (found.width, found.height) == (848, 480)
    assert (found.frames, found.fps, found.remarks) == (81, 16.0, ())
    tall = made(WAN, Wish((900, 1600)))
    assert (tall.width, tall.height) == (480, 848)


def test_length_nobody_says_is_five_seconds_or_what_the_model_can():
    assert made(LTX, Wish(WIDE)).frames == 121
    assert made(SVD, Wish(WIDE)).frames == 25


def test_one_side_gives_the_other_by_the_pictures_shape():
    found = made(WAN, Wish(WIDE, width=640))
    assert (found.width, found.height) == (640, 368)
    assert made(WAN, Wish((1000, 1000), height=512)).width == 512


def test_size_off_the_grid_is_told():
    (remark,) = made(WAN, Wish(WIDE, 1000, 562)).remarks
    assert remark.startswith(
        "1000x562 was asked; Wan 2.1 makes multiples of 16 from 64 to 4096, so"
    )
    (remark,) = made(WAN, Wish(WIDE, width=1001)).remarks
    assert remark.startswith("A width of 1001 was asked;")
    (remark,) = made(WAN, Wish(WIDE, height=563)).remarks
    assert remark.startswith("A height of 563 was asked;")


def test_length_out_of_reach_is_told():
    (remark,) = made(SVD, Wish(WIDE, 1024, 576, seconds=5)).remarks
    assert remark == "5 s was asked; SVD makes at most 25 frames: 2.5 s at 10 fps."
    (remark,) = made(SVD, Wish(WIDE, 1024, 576, seconds=0.5, fps=1)).remarks[:1]
    assert remark == "0.5 s was asked; SVD makes at least 2 frames: 2 s at 1 fps."


@pytest.mark.parametrize(
    ("family", "seconds", "fps", "frames"),
    [
        (LTX, 0.5, 24, 17),
        (LTX, 2.5, 24, 65),
        (LTX, 8.5, 24, 209),
        (SVD, 0.5, 25, 13),
        (SVD, 0.58, 25, 15),  # 14.499999999999998 frames in floats
        (LTX, 4.64, 25, 121),
        (WAN, 5, 16, 81),
        (COSMOS, 5.8, 16, 93),
    ],
)
def test_nearest_length_is_not_told_and_ties_go_up(family, seconds, fps, frames):
    found = made(family, Wish(WIDE, seconds=seconds, fps=fps))
    assert found.frames == frames
    assert not [remark for remark in found.remarks if "was asked" in remark]


@pytest.mark.parametrize(
    ("family", "seconds", "fps", "told"),
    [
        (LTX, 5, 1, "5 s was asked; LTX-Video makes at least 9 frames: 9 s at 1 fps."),
        (WAN, 2, 1, "2 s was asked; Wan 2.1 makes at least 5 frames: 5 s at 1 fps."),
        (WAN, 5.5, 16, "5.5 s was asked; Wan 2.1 makes at most 81 frames: 5.06 s at 16 fps."),
    ],
)
def test_bound_is_told_within_a_frame_step_of_it_too(family, seconds, fps, told):
    assert told in made(family, Wish(WIDE, seconds=seconds, fps=fps)).remarks


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.id)
@given(seconds=st.floats(0.5, 60), fps=st.floats(1, 60))
def test_a_bound_is_told_only_where_the_frames_are_at_it(family, seconds, fps):
    limits = family.limits(chosen(family).files, PLAIN)
    found = made(family, Wish(WIDE, seconds=seconds, fps=fps))
    said = " ".join(found.remarks)
    assert "at most" not in said or found.frames == limits.max_frames
    assert "at least" not in said or found.frames == limits.min_frames
    within = limits.min_frames <= seconds * fps <= limits.max_frames
    assert not (within and "was asked" in said)


def test_length_that_is_met_to_the_frame_step_is_not_told():
    for tenths in range(5, 51):
        assert not made(WAN, Wish(WIDE, 832, 480, seconds=tenths / 10)).remarks


def test_another_rate_is_told():
    (remark,) = made(COSMOS, Wish(WIDE, 848, 480, seconds=3, fps=24)).remarks
    assert remark == "Cosmos Predict2 moves at 16 fps: at 24 fps its motion looks faster."


def test_end_picture_is_refused_where_the_family_or_the_file_takes_none():
    with pytest.raises(
        FamilyError, match="SVD takes no end picture: disconnect it, or load a model"
    ):
        made(SVD, Wish(WIDE, ends=True))
    with pytest.raises(FamilyError, match=r"480p_14B_fp16.safetensors takes no end picture"):
        made(WAN, Wish(WIDE, ends=True))
    flf = "wan2.1_flf2v_720p_14B_fp16.safetensors"
    assert made(WAN, Wish(WIDE, ends=True), model=flf).frames == 81


def test_lines_are_what_the_node_shows():
    found = made(SVD, Wish(WIDE, 1024, 576, seconds=5))
    assert found.lines()[0] == "1024x576, 25 frames, 2.5 s at 10 fps"
    assert found.lines()[1:] == list(found.remarks)


def test_knobs_change_only_what_they_name():
    official = Sampling(20, 6.0, "uni_pc", "simple", 8.0)
    assert tuned(WAN, official, Knobs()) == official
    assert tuned(WAN, official, Knobs(steps=4)) == replace(official, steps=4)
    asked = Knobs(3, 2.0, "heun", "beta", 3.5)
    assert tuned(WAN, official, asked) == Sampling(3, 2.0, "heun", "beta", 3.5)


def test_shift_is_refused_where_there_is_none():
    with pytest.raises(FamilyError, match=r"SVD has no shift: leave it at 0\."):
        tuned(SVD, Sampling(20, 2.5, "euler", "karras"), Knobs(shift=3))


def test_settings_survive_as_text():
    kept = Chosen("wan2.2-i2v-14b", {"vae": "a/b.safetensors"}, Options("fp8_e5m2", fast=True))
    assert Chosen.of(kept.text()) == kept
    seen = replace(kept, kinds={"vae": "wan21_vae"})
    assert Chosen.of(seen.text()) == seen


def test_a_take_follows_what_the_header_says():
    wan = replace(chosen(WAN, model="renamed.safetensors"), kinds={"model": "wan21_i2v"})
    with pytest.raises(FamilyError, match=r"renamed.safetensors takes no end picture"):
        take(WAN, wan, Wish(WIDE, ends=True))


def test_stills_share_the_sizes():
    limits = WAN.limits(chosen(WAN).files, PLAIN)
    wish = Wish(WIDE, 100, 100)
    assert extent(limits, wish) in {(96, 96), (112, 112)}
    assert "100x100 was asked" in resized(WAN, limits, wish, extent(limits, wish))
