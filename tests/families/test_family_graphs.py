from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from official_graphs import END, FOLDER, NAMES, START, Graph, official
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.families.base import Drawing, Family, KeyframeFamily, Model, Options, Shoot
from promptreel.families.plain import PlainGraph

VIDEO = {
    "wan2.1-i2v": "wan2.1-i2v",
    "wan2.1-flf2v": "wan2.1-i2v",
    "wan2.2-i2v-14b": "wan2.2-i2v-14b",
    "wan2.2-i2v-14b-fast": "wan2.2-i2v-14b",
    "wan2.2-flf2v-14b": "wan2.2-i2v-14b",
    "wan2.2-flf2v-14b-fast": "wan2.2-i2v-14b",
    "wan2.2-ti2v-5b": "wan2.2-ti2v-5b",
    "ltx-video": "ltx-video",
    "hunyuan-video-1.5": "hunyuan-video-1.5",
    "svd": "svd",
    "svd-xt": "svd",
    "cosmos-predict2": "cosmos-predict2",
    "cosmos-predict2-end": "cosmos-predict2",
}
STILL = {
    "sd15-img2img": "sd",
    "sdxl": "sd",
    "flux-kontext": "flux-kontext",
    "qwen-edit-2509": "qwen-edit-2509",
    "qwen-edit-2509-fast": "qwen-edit-2509",
}
LOADERS = {
    "UNETLoader": ("model", "unet_name"),
    "CheckpointLoaderSimple": ("checkpoint", "ckpt_name"),
    "ImageOnlyCheckpointLoader": ("checkpoint", "ckpt_name"),
    "VAELoader": ("vae", "vae_name"),
    "CLIPVisionLoader": ("clip_vision", "clip_name"),
    "LoraLoaderModelOnly": ("lora", "lora_name"),
}


def chosen(graph: Graph) -> dict[str, str]:
    """Return the files of a graph by our roles; two of a kind are Wan 2.2's high and low noise."""
    files: dict[str, str] = {}
    for class_type, (role, key) in LOADERS.items():
        for inputs in graph.all(class_type):
            files[_role(role, inputs[key])] = inputs[key]
    for inputs in graph.all("CLIPLoader"):
        files["text_encoder"] = inputs["clip_name"]
    for inputs in graph.all("DualCLIPLoader"):
        files |= {"text_encoder": inputs["clip_name1"], "text_encoder_2": inputs["clip_name2"]}
    return files


def _role(role: str, name: str) -> str:
    noise = next((side for side in ("high_noise", "low_noise") if side in name), None)
    return role if noise is None else noise if role == "model" else f"{noise}_{role}"


SIZED = (
    "WanImageToVideo",
    "WanFirstLastFrameToVideo",
    "Wan22ImageToVideoLatent",
    "LTXVImgToVideo",
    "HunyuanVideo15ImageToVideo",
    "SVD_img2vid_Conditioning",
    "CosmosPredict2ImageToVideoLatent",
)


def shoot_of(graph: Graph, family: Family, files: Mapping[str, str], options: Options) -> Shoot:
    """Return what an official graph asks for, with our own sampler values and rate."""
    sized = graph.one(*SIZED)
    positive, negative = texts(graph)
    end = "end_image" in sized
    return Shoot(
        positive=positive,
        negative=negative,
        width=sized["width"],
        height=sized["height"],
        frames=sized["length"] if "length" in sized else sized["video_frames"],
        fps=family.limits(files, options).fps,
        seed=seed_of(graph),
        sampling=family.sampling(files, options, end),
        start=["start", 0],
        end=["end", 0] if end else None,
    )


def texts(graph: Graph) -> tuple[str, str]:
    """Return the two texts, found by following the last sampler's links."""
    found = [_text(graph, inputs) for inputs in graph.nodes.values() if "cfg" in inputs["inputs"]]
    return found[0]


def _text(graph: Graph, node: dict[str, Any]) -> tuple[str, str]:
    return tuple(_upwards(graph, node["inputs"][side], side) for side in ("positive", "negative"))  # type: ignore[return-value]


def _upwards(graph: Graph, link: list[Any], side: str) -> str:
    inputs = graph.follow(link)["inputs"]
    if "text" in inputs or "prompt" in inputs:
        return inputs.get("text", inputs.get("prompt"))
    following = inputs.get(side) or inputs.get("conditioning")
    return _upwards(graph, following, side) if following else ""


def seed_of(graph: Graph) -> int:
    inputs = [node["inputs"] for node in graph.nodes.values()]
    seeds = [i.get("seed", i.get("noise_seed")) for i in inputs if {"seed", "noise_seed"} & set(i)]
    return max(seeds)  # the low-noise expert of Wan 2.2 has 0


def expansion(family: Model, files: Mapping[str, str], options: Options, asked: Any) -> Graph:
    """Return our whole graph up to CreateVideo or SaveImage."""
    graph = PlainGraph()
    parts = family.load(graph, files, options)
    if isinstance(family, Family):
        images = family.shoot(graph, parts, asked)
        graph.node("CreateVideo", id="out", images=images, fps=asked.fps)
    elif isinstance(family, KeyframeFamily):
        graph.node("SaveImage", id="out", images=family.draw(graph, parts, asked))
    return Graph(json.loads(json.dumps(graph.nodes)))


PICTURES = {"start": START, "end": END}


def pictures(graph: Graph) -> dict[str, str]:
    """Return which nodes of an official graph give the start and the end picture."""
    ids = {}
    for inputs in graph.all(*SIZED):
        for key, name in (("start_image", START), ("image", START), ("init_image", START)):
            ids |= {inputs[key][0]: name} if key in inputs else {}
        ids |= {inputs["end_image"][0]: END} if "end_image" in inputs else {}
    return ids


def test_every_official_graph_is_compared():
    assert set(VIDEO) | set(STILL) == set(NAMES)
    assert set(VIDEO.values()) == set(FAMILIES)
    assert set(STILL.values()) == set(KEYFRAMES)


@pytest.mark.parametrize("name", VIDEO)
def test_the_expansion_is_the_official_graph(name: str):
    theirs, family = official(name), FAMILIES[VIDEO[name]]
    files, options = chosen(theirs), Options(fast=name.endswith("-fast"))
    asked = shoot_of(theirs, family, files, options)
    ours = expansion(family, files, options, asked)
    expected = theirs.tree(theirs.id_of("CreateVideo"), pictures(theirs))
    assert ours.tree("out", PICTURES) == expected


@pytest.mark.parametrize("name", [name for name in STILL if name != "sdxl"])
def test_the_keyframe_expansion_is_the_official_graph(name: str):
    theirs, family = official(name), KEYFRAMES[STILL[name]]
    files, options = chosen(theirs), Options(fast=name.endswith("-fast"))
    asked = drawing_of(theirs, family, files, options)
    ours = expansion(family, files, options, asked)
    start = {theirs.id_of("LoadImage"): START}
    expected = theirs.tree(theirs.id_of("SaveImage"), start)
    del expected[1]["filename_prefix"]
    assert ours.tree("out", PICTURES) == expected


def drawing_of(
    graph: Graph, family: KeyframeFamily, files: Mapping[str, str], options: Options
) -> Drawing:
    positive, negative = texts(graph)
    extent = family.limits(files, options).extent
    strongest = list(family.strengths.values())[-1]
    sampling = family.sampling(files, options)
    seed = seed_of(graph)
    return Drawing(positive, negative, *extent, seed, strongest, sampling, ["start", 0])


def test_sdxl_samples_as_its_template_does():
    theirs = official("sdxl").one("KSampler")
    ours = KEYFRAMES["sd"].sampling(chosen(official("sdxl")), Options())
    assert (ours.steps, ours.cfg) == (theirs["steps"], theirs["cfg"])
    assert (ours.sampler, ours.scheduler) == (theirs["sampler_name"], theirs["scheduler"])


@pytest.mark.parametrize("name", VIDEO)
def test_the_comparison_sees_a_changed_value(name: str):
    theirs, family = official(name), FAMILIES[VIDEO[name]]
    files, options = chosen(theirs), Options(fast=name.endswith("-fast"))
    asked = shoot_of(theirs, family, files, options)
    expected = theirs.tree(theirs.id_of("CreateVideo"), pictures(theirs))
    for change in (
        {"sampling": replace(asked.sampling, cfg=9.5)},
        {"sampling": replace(asked.sampling, steps=asked.sampling.steps + 2)},
        {"seed": asked.seed + 1},
        {"frames": asked.frames + 4},
        {"start": ["end", 0]},
    ):
        ours = expansion(family, files, options, replace(asked, **change))
        assert ours.tree("out", PICTURES) != expected


@pytest.mark.parametrize("name", VIDEO)
def test_the_official_request_is_within_our_limits(name: str):
    theirs, family = official(name), FAMILIES[VIDEO[name]]
    files, options = chosen(theirs), Options(fast=name.endswith("-fast"))
    asked, limits = (
        shoot_of(theirs, family, files, options),
        family.limits(files, options),
    )
    assert limits.extent_near(asked.width, asked.height) == (asked.width, asked.height)
    assert limits.frames(asked.frames / asked.fps) == asked.frames
    assert limits.takes_end or asked.end is None


@pytest.mark.parametrize("name", NAMES)
def test_official_files_are_the_ones_a_family_asks_for(name: str):
    graph = official(name)
    family = FAMILIES[VIDEO[name]] if name in VIDEO else KEYFRAMES[STILL[name]]
    files = chosen(graph)
    known = {slot.role: {file.name for file in slot.official} for slot in family.slots}
    assert {role: name in known[role] for role, name in files.items()} == dict.fromkeys(files, True)
    needed = {slot.role for slot in family.needed(Options(fast=name.endswith("-fast")))}
    assert set(files) == needed


@pytest.mark.parametrize("name", NAMES)
def test_an_official_graph_says_where_it_is_from(name: str):
    data = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert data["template"]
    assert data["package"].startswith("comfyui-workflow-templates")


@pytest.mark.parametrize("model", [*FAMILIES.values(), *KEYFRAMES.values()], ids=lambda m: m.id)
def test_a_family_is_whole(model: Model):
    assert model.node_id.startswith("PromptReel")
    assert set(model.switches) <= {"weight_dtype", "fast"}
    assert set(model.speaks) <= {"en", "ru"}
    roles = [slot.role for slot in model.slots]
    assert len(set(roles)) == len(roles)
    assert any(slot.optional for slot in model.slots) == ("fast" in model.switches)


def test_a_plain_graph_refuses_an_id_twice():
    graph = PlainGraph()
    graph.node("VAELoader", id="a")
    with pytest.raises(ValueError, match="has a node a"):
        graph.node("VAELoader", id="a")


def test_a_weight_dtype_reaches_every_diffusion_model():
    family = FAMILIES["wan2.2-i2v-14b"]
    files = {slot.role: slot.official[0].name for slot in family.slots}
    graph = PlainGraph()
    family.load(graph, files, Options(weight_dtype="fp8_e4m3fn"))
    loaders = Graph(graph.nodes).all("UNETLoader")
    assert [inputs["weight_dtype"] for inputs in loaders] == ["fp8_e4m3fn"] * 2


@pytest.mark.parametrize(("steps", "half"), [(1, 1), (2, 1), (5, 2), (20, 10)])
def test_the_experts_share_the_steps(steps: int, half: int):
    name = "wan2.2-i2v-14b"
    theirs, family = official(name), FAMILIES[name]
    files = chosen(theirs)
    asked = shoot_of(theirs, family, files, Options())
    asked = replace(asked, sampling=replace(asked.sampling, steps=steps))
    first, second = expansion(family, files, Options(), asked).all("KSamplerAdvanced")
    assert (first["start_at_step"], first["end_at_step"]) == (0, half)
    assert second["start_at_step"] == half


def test_ltx_takes_another_schedule_by_its_name():
    theirs, family = official("ltx-video"), FAMILIES["ltx-video"]
    files = chosen(theirs)
    asked = shoot_of(theirs, family, files, Options())
    asked = replace(asked, sampling=replace(asked.sampling, scheduler="beta"))
    graph = expansion(family, files, Options(), asked)
    assert graph.one("BasicScheduler")["scheduler"] == "beta"
    assert not graph.all("LTXVScheduler")
    shifted = graph.one("ModelSamplingLTXV")
    assert (shifted["max_shift"], shifted["base_shift"]) == (2.05, 0.95)


@pytest.mark.parametrize(("played", "told"), [(24.0, 25.0), (12.0, 12.0), (30.0, 30.0)])
def test_ltx_is_told_the_rate_that_is_asked(played: float, told: float):
    theirs, family = official("ltx-video"), FAMILIES["ltx-video"]
    files = chosen(theirs)
    asked = replace(shoot_of(theirs, family, files, Options()), fps=played)
    graph = expansion(family, files, Options(), asked)
    assert graph.one("LTXVConditioning")["frame_rate"] == told


@pytest.mark.parametrize(
    ("name", "cfg", "shift"),
    [
        ("hunyuanvideo1.5_480p_i2v_fp16.safetensors", 6.0, 5.0),
        ("hunyuanvideo1.5_720p_i2v_cfg_distilled_fp8_scaled.safetensors", 1.0, 7.0),
    ],
)
def test_hunyuan_values_follow_the_file(name: str, cfg: float, shift: float):
    sampling = FAMILIES["hunyuan-video-1.5"].sampling({"model": name}, Options())
    assert (sampling.cfg, sampling.shift) == (cfg, shift)
