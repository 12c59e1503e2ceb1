"""What the model nodes refuse, before gigabytes are loaded, and the one sentence that they say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.comfyui_play import Graph, Refused, play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.model_graphs import LOADERS, image_to_video, keyframe, ran
from tests.e2e.pack_graphs import node
from tests.tiny_models.models import tiny_models

VIDEO, STILL = image_to_video, keyframe
WAN22_HIGH = "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors"
WAN22_LOW = "wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors"
WAN22_5B = "wan2.2_ti2v_5B_fp16.safetensors"
T5XXL = "t5xxl_fp16.safetensors"
QWEN_VL, CLIP_L = "qwen_2.5_vl_7b_fp8_scaled.safetensors", "clip_l.safetensors"
QWEN_LORA = "Qwen-Image-Edit-2509-Lightning-4steps-V1.0-bf16.safetensors"
WAN_LORA = "wan2.2_i2v_lightx2v_4steps_lora_v1_high_noise.safetensors"


@pytest.fixture(scope="module", autouse=True)
def _pictures(comfyui: ComfyUI) -> None:
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    save(comfyui.input_dir / "slim.png", landscape(37, 1001))


async def refused_early(comfyui: ComfyUI, graph: Graph) -> str:
    """Run a graph that must fail before anything is loaded; return what is said."""
    done = await play(comfyui, graph)
    assert done.status == "error"
    assert not [name for name in ran(done) if name.startswith(("3.", "4."))]
    assert done.error.count(".\n") == 0
    return done.error


WRONG_PAIRS = [
    (VIDEO, "wan2.2-ti2v-5b", {"vae": "wan_2.1_vae.safetensors"}, "wan2.2_vae.safetensors"),
    (VIDEO, "wan2.2-i2v-14b", {"vae": "wan2.2_vae.safetensors"}, "wan_2.1_vae.safetensors"),
    (VIDEO, "wan2.2-i2v-14b", {"high_noise": WAN22_5B}, "Wan 2.2 5B"),
    (VIDEO, "wan2.2-i2v-14b", {"low_noise": WAN22_HIGH}, "low_noise"),
    (VIDEO, "wan2.2-i2v-14b", {"high_noise": WAN22_LOW, "low_noise": WAN22_HIGH}, "swap"),
    (VIDEO, "wan2.1-i2v", {"text_encoder": T5XXL}, "umt5"),
    (VIDEO, "wan2.1-i2v", {"model": WAN22_HIGH}, "Wan 2.2"),
    (
        VIDEO,
        "wan2.1-i2v",
        {"clip_vision": "sigclip_vision_patch14_384.safetensors"},
        "clip_vision_h",
    ),
    (VIDEO, "hunyuan-video-1.5", {"vae": "wan_2.1_vae.safetensors"}, "hunyuanvideo15_vae"),
    (VIDEO, "ltx-video", {"checkpoint": "svd.safetensors"}, "ltx-video"),
    (VIDEO, "ltx-video", {"text_encoder": "umt5_xxl_fp8_e4m3fn_scaled.safetensors"}, "t5xxl"),
    (VIDEO, "cosmos-predict2", {"text_encoder": T5XXL}, "oldt5"),
    (VIDEO, "svd", {"checkpoint": "sd_xl_base_1.0.safetensors"}, "svd_xt"),
    (STILL, "sd", {"checkpoint": "svd.safetensors"}, "sd_xl_base"),
    (STILL, "flux-kontext", {"vae": "wan_2.1_vae.safetensors"}, "ae.safetensors"),
    (STILL, "qwen-edit-2509", {"vae": "ae.safetensors"}, "qwen_image_vae"),
    (VIDEO, "hunyuan-video-1.5", {"text_encoder_2": QWEN_VL}, "byt5_small_glyphxl_fp16"),
    (STILL, "flux-kontext", {"text_encoder_2": CLIP_L}, "t5xxl_fp8_e4m3fn_scaled"),
    (VIDEO, "wan2.2-i2v-14b", {"low_noise_lora": QWEN_LORA, "fast": True}, "v1_low_noise"),
    (STILL, "qwen-edit-2509", {"lora": WAN_LORA, "fast": True}, "Qwen-Image-Edit-2509-Lightning"),
]


@pytest.mark.parametrize(
    ("graph", "family", "loads", "hint"),
    WRONG_PAIRS,
    ids=[f"{family}-{'-'.join(loads)}-{hint}" for _, family, loads, hint in WRONG_PAIRS],
)
async def test_wrong_pair_is_refused_before_loading(
    comfyui: ComfyUI, graph: Any, family: str, loads: dict[str, Any], hint: str
):
    said = await refused_early(comfyui, graph(family, loads=loads))
    assert next(iter(loads.values())) in said
    assert hint in said


async def test_damaged_file_is_refused_before_loading(comfyui: ComfyUI):
    place = _models(comfyui, "vae") / "half.safetensors"
    place.write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    graph = image_to_video("wan2.2-i2v-14b", loads={"vae": place.name})
    assert "half.safetensors can't be read" in await refused_early(comfyui, graph)


END = "takes no end picture"


@pytest.mark.parametrize(
    ("family", "wanted", "hint"),
    [
        ("wan2.2-ti2v-5b", {"end_image": ["1", 0]}, f"Wan 2.2 5B {END}"),
        ("svd", {"end_image": ["1", 0]}, f"SVD {END}"),
        ("wan2.1-i2v", {"end_image": ["1", 0]}, f"wan2.1_i2v_480p_14B_fp16.safetensors {END}"),
        ("svd", {"shift": 3.0}, "SVD has no shift"),
        ("wan2.1-i2v", {"sampler": "bogus"}, "Unknown sampler 'bogus'"),
        ("wan2.1-i2v", {"scheduler": "bogus"}, "Unknown scheduler 'bogus'"),
        ("wan2.1-i2v", {"seconds": 0.1}, "The length must be 0.5 to 60 seconds"),
        ("wan2.1-i2v", {"fps": 0.5}, "The frame rate must be 1 to 60 fps"),
    ],
)
async def test_impossible_wish_is_refused_before_the_model_is_loaded(
    comfyui: ComfyUI, family: str, wanted: dict[str, Any], hint: str
):
    done = await play(comfyui, image_to_video(family, **wanted))
    assert hint in done.error
    assert not [name for name in ran(done) if name.startswith("3")], "the loader ran"


@pytest.mark.parametrize(
    ("kind", "name", "value", "said"),
    [
        ("PrimitiveInt", "width", -8, "width must be 0 to 8192, not -8."),
        ("PrimitiveInt", "height", 9000, "height must be 0 to 8192, not 9000."),
        ("PrimitiveInt", "steps", -1, "steps must be 0 to 200, not -1."),
        ("PrimitiveInt", "seed", -1, "seed must be 0 to 18446744073709551615, not -1."),
        ("PrimitiveFloat", "cfg", 31.0, "cfg must be 0 to 30, not 31.0."),
        ("PrimitiveFloat", "shift", -1.0, "shift must be 0 to 100, not -1.0."),
    ],
)
@pytest.mark.parametrize("graph", [image_to_video, keyframe])
async def test_number_that_comes_by_a_link_has_the_same_bounds(
    comfyui: ComfyUI, graph: Any, kind: str, name: str, value: float, said: str
):
    """ComfyUI checks the bounds of widgets alone."""
    asked = graph("wan2.1-i2v" if graph is image_to_video else "sd")
    asked["4"]["inputs"][name] = ["6", 0]
    asked["6"] = node(kind, value=value)
    done = await play(comfyui, asked)
    assert done.error == said
    assert not [name for name in ran(done) if name.startswith("3")], "the loader ran"


@pytest.mark.parametrize(
    ("family", "wanted", "told"),
    [
        (
            "wan2.2-ti2v-5b",
            {"width": 130, "height": 70},
            ["128x64, 13 frames, 0.542 s at 24 fps", "130x70 was asked", "multiples of 32"],
        ),
        (
            "wan2.1-i2v",
            {"width": 10, "height": 5},
            ["128x64, 9 frames", "10x5 was asked", "from 64 to 4096"],
        ),
        (
            "svd",
            {"seconds": 8.0, "steps": 1},
            ["128x64, 25 frames, 2.5 s at 10 fps", "8 s was asked", "at most 25 frames: 2.5 s"],
        ),
        (
            "ltx-video",
            {"fps": 12.0},
            ["9 frames, 0.75 s at 12 fps", "LTX-Video moves at 24 fps", "looks slower"],
        ),
        ("svd", {"width": 0}, ["88x64, 5 frames, 0.5 s at 10 fps\nSVD"]),
        ("svd", {"width": 90, "height": 0}, ["96x72", "A width of 90 was asked"]),
        ("svd", {}, ["SVD takes no words"]),
        (
            "svd",
            {"seconds": 0.0, "steps": 1, "text": "pan left for 3 minutes"},
            ["25 frames, 2.5 s at 10 fps", "180 s was asked; SVD makes at most 25 frames"],
        ),
        (
            "svd",
            {"seconds": ["1", 3], "steps": 1, "text": "pan left for 90 seconds"},
            ["90 s was asked; SVD makes at most 25 frames"],
        ),
        (
            "svd",
            {"image": "slim.png", "width": 64, "height": 0},
            ["64x192", "The picture, 37x1001, is slimmer than 3:1: only its middle is used."],
        ),
        (
            "ltx-video",
            {"cfg": 1.0, "text": "a lighthouse, no people"},
            ["Not read without guidance (cfg 1): people. Say what should be there instead."],
        ),
        ("ltx-video", {"text": "маяк над морем"}, ["LTX-Video knows English only"]),
        ("wan2.2-ti2v-5b", {"text": "маяк над морем"}, ["Prompt: маяк над морем"]),
    ],
)
async def test_node_tells_what_it_makes_of_a_wish(
    comfyui: ComfyUI, family: str, wanted: dict[str, Any], told: list[str]
):
    done = await play(comfyui, image_to_video(family, **wanted))
    assert done.status == "success", done.error
    said = "\n".join(done.outputs["4"]["text"])
    assert all(part in said for part in told), said
    (record,) = done.outputs["5"]["promptreel"]
    facts = f"{record['width']}x{record['height']}, {record['frames']} frames"
    assert said.startswith(facts)


@pytest.mark.parametrize(
    ("request_says", "told"),
    [(0.0, "25 frames, 2.5 s"), (5.0, "5 s was asked; SVD makes at most 25 frames")],
)
async def test_a_requests_default_length_is_nobodys_wish(
    comfyui: ComfyUI, request_says: float, told: str
):
    graph = image_to_video("svd", seconds=["1", 3], steps=1)
    graph["1"]["inputs"]["seconds"] = request_says
    done = await play(comfyui, graph)
    said = "\n".join(done.outputs["4"]["text"])
    assert told in said
    assert ("was asked" in said) == bool(request_says)


async def test_a_longer_text_than_a_video_may_be_is_told_and_not_made(comfyui: ComfyUI):
    text = "a lighthouse, 70 seconds"
    done = await play(comfyui, image_to_video("wan2.1-i2v", seconds=["1", 3], fps=1, text=text))
    assert "128x64, 61 frames" in "\n".join(done.outputs["4"]["text"])


async def test_a_wish_that_is_met_gets_no_remark(comfyui: ComfyUI):
    done = await play(comfyui, image_to_video("wan2.2-ti2v-5b", text="a lighthouse"))
    assert done.outputs["4"]["text"] == [
        "128x64, 13 frames, 0.542 s at 24 fps",
        "Prompt: a lighthouse.",
    ]


async def test_missing_file_is_named_with_its_size_and_folder(comfyui: ComfyUI):
    graph = image_to_video("wan2.1-i2v", loads={"model": "wan2.1_i2v_720p_14B_fp16.safetensors"})
    with pytest.raises(Refused) as told:
        await play(comfyui, graph)
    said = told.value.details[0]
    assert "wan2.1_i2v_720p_14B_fp16.safetensors (32.8 GB) to models/diffusion_models" in said


async def test_unknown_file_is_refused_with_the_official_one(comfyui: ComfyUI):
    with pytest.raises(Refused) as told:
        await play(comfyui, image_to_video("svd", loads={"checkpoint": "mine.ckpt"}))
    (said,) = told.value.details
    assert "no file mine.ckpt in models/checkpoints" in said
    assert "svd_xt.safetensors" in said


async def test_file_in_a_subfolder_is_found_by_its_bare_name(comfyui: ComfyUI):
    place = _models(comfyui, "vae") / "sorted" / "my_vae.safetensors"
    place.parent.mkdir(exist_ok=True)
    shutil.copy(tiny_models(comfyui.installation) / "vae" / "wan_2.1_vae.safetensors", place)
    graph = {
        "3": node(LOADERS["wan2.2-i2v-14b"], **image_to_video("wan2.2-i2v-14b")["3"]["inputs"]),
        "9": node("ToldGraph", after=["3", 0]),
    }
    graph["3"]["inputs"]["vae"] = "my_vae.safetensors"
    done = await play(comfyui, graph)
    chosen = json.loads(done.outputs["9"]["graph"][0])["nodes"]
    vae = [n for n in chosen.values() if n["class_type"] == "VAELoader"]
    assert [Path(n["inputs"]["vae_name"]) for n in vae] == [Path("sorted", "my_vae.safetensors")]


async def test_file_that_is_no_name_is_refused(comfyui: ComfyUI):
    with pytest.raises(Refused) as told:
        await play(comfyui, image_to_video("wan2.1-i2v", loads={"vae": 5}))
    assert told.value.details == ["vae must be the name of a file, not 5."]


async def test_unknown_weight_type_is_refused(comfyui: ComfyUI):
    with pytest.raises(Refused) as told:
        await play(comfyui, image_to_video("wan2.1-i2v", loads={"weight_dtype": "fp4"}))
    assert "Unknown weight_dtype 'fp4': use one of default, fp8" in told.value.details[0]


def _models(comfyui: ComfyUI, folder: str) -> Path:
    place = comfyui.base / "models" / folder
    place.mkdir(parents=True, exist_ok=True)
    return place
