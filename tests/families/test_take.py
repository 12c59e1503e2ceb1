"""A wish becomes a legal take, and what was changed is told in sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.families.base import FamilyError, Options, Sampling
from promptreel.families.take import Chosen, Knobs, Wish, extent, sized, take, tuned

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


def test_length_that_no_video_may_have_is_told_as_it_was_said_and_not_made():
    found = made(SVD, Wish(WIDE, 1024, 576, seconds=60, asked=90))
    assert found.remarks[0] == "90 s was asked; SVD makes at most 25 frames: 2.5 s at 10 fps."
    assert made(LTX, Wish(WIDE, seconds=60, fps=1, asked=200)).frames < 70


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
    (told,) = sized(WAN, limits, wish, extent(limits, wish))
    assert "100x100 was asked" in told


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.id)
@pytest.mark.parametrize("picture", [(37, 1001), (1001, 37), (1, 9000), (3001, 1000)])
@pytest.mark.parametrize("asked", [{}, {"width": 512}, {"height": 512}])
def test_a_slim_picture_is_cropped_to_three_to_one_and_told(family, picture, asked):
    found = made(family, Wish(picture, **asked))
    step = family.limits(chosen(family).files, PLAIN).side_step
    short, long = sorted((found.width, found.height))
    assert 3 * (short - step) <= long <= 3 * (short + step)
    assert (found.width > found.height) is (picture[0] > picture[1])
    told = f"The picture, {picture[0]}x{picture[1]}, is slimmer than 3:1: only its middle is used."
    assert told in found.remarks


@pytest.mark.parametrize("picture", [(3000, 1000), (1, 3), (37, 111), (2390, 1000)])
def test_a_panorama_is_no_slim_picture(picture):
    assert not made(SVD, Wish(picture)).remarks


def test_a_slim_size_that_was_asked_is_kept_and_told():
    found = made(SVD, Wish(WIDE, 2048, 128))
    assert (found.width, found.height) == (2048, 128)
    assert found.remarks == (
        "2048x128 is slimmer than 3:1: video models have hardly seen such a shape.",
    )


def test_a_size_far_beyond_the_models_own_is_told():
    (remark,) = made(WAN, Wish(WIDE, 1280, 720)).remarks
    assert remark == (
        "1280x720 has 2.3 times the pixels that Wan 2.1 was made for (832x480): expect flaws, and "
        "much more memory and time."
    )
    name = "wan2.1_i2v_720p_14B_fp16.safetensors"
    assert not made(WAN, Wish(WIDE, 1280, 720), model=name).remarks
    assert "2.3 times" in made(WAN, Wish(WIDE, 1920, 1088), model=name).remarks[0]


@pytest.mark.parametrize(
    ("family", "made_for"),
    [
        ("wan2.2-i2v-14b", (1280, 720)),
        ("wan2.2-ti2v-5b", (1280, 704)),
        ("wan2.1-i2v", (832, 480)),
        ("hunyuan-video-1.5", (1280, 720)),
        ("ltx-video", (1280, 720)),
        ("cosmos-predict2", (848, 480)),
        ("svd", (1024, 576)),
    ],
)
def test_what_a_model_was_made_for_gets_no_remark_and_4k_does(family, made_for):
    model = FAMILIES[family]
    assert not made(model, Wish(WIDE)).remarks
    near = made(model, Wish(WIDE, *made_for))
    assert not [told for told in near.remarks if "made for" in told]
    far = made(model, Wish(WIDE, 3840, 2176))
    assert [told for told in far.remarks if "was made for ({}x{})".format(*made_for) in told]


def test_a_still_far_beyond_the_models_own_is_told_too():
    family = KEYFRAMES["sd"]
    limits = family.limits({"checkpoint": "v1-5-pruned-emaonly-fp16.safetensors"}, PLAIN)
    wish = Wish(WIDE, 1024, 1024)
    (told,) = sized(family, limits, wish, extent(limits, wish))
    assert told.startswith("1024x1024 has 4 times the pixels that SD 1.5 / SDXL was made for (512x")
