from __future__ import annotations

from pathlib import Path

import pytest
from promptreel.families import FAMILIES, KEYFRAMES, FamilyError, Model
from promptreel.families import kinds as kinds_module
from promptreel.families.headers import Header, read_header
from promptreel.families.kinds import kind_of, kinds_of
from weight_files import FILES, UNET, write

MODELS: dict[str, Model] = {**FAMILIES, **KEYFRAMES}


def header(name: str) -> Header:
    return Header(f"{name}.safetensors", FILES.get(name, {}))


def choice(family: Model, **instead: str) -> dict[str, Header]:
    """Return the headers of a family's first official files, some replaced by other files."""
    names = {slot.role: slot.official[0].name.removesuffix(".safetensors") for slot in family.slots}
    return {role: header(name) for role, name in (names | instead).items()}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_official_files_fit_together(model: Model):
    model.check(choice(model))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_official_model_file_is_known_by_its_header(model: Model):
    heads = choice(model).items()
    assert all(kind_of(head) for role, head in heads if not role.endswith("lora"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sd_xl_base_1.0", "sdxl"),
        ("v1-5-pruned-emaonly-fp16", "sd"),
        ("sd21-unclip-h", None),
        ("sd-inpainting", None),
    ],
)
def test_sdxl_is_told_from_sd_by_the_header(name: str, kind: str | None):
    found = kinds_of({"checkpoint": header(name), "other": Header("old.ckpt")})
    assert found == ({"checkpoint": kind} if kind else {})


WRONG = [
    # a 5B model with the 2.1 VAE and the like
    ("wan2.2-ti2v-5b", "vae", "wan_2.1_vae", "choose wan2.2_vae.safetensors"),
    ("wan2.2-i2v-14b", "vae", "wan2.2_vae", "choose wan_2.1_vae.safetensors"),
    ("wan2.1-i2v", "vae", "wan2.2_vae", "choose wan_2.1_vae.safetensors"),
    ("hunyuan-video-1.5", "vae", "wan_2.1_vae", "choose hunyuanvideo15_vae_fp16.safetensors"),
    ("cosmos-predict2", "vae", "wan2.2_vae", "choose wan_2.1_vae.safetensors"),
    ("qwen-edit-2509", "vae", "ae", "choose qwen_image_vae.safetensors"),
    ("flux-kontext", "vae", "sdxl_vae", "choose ae.safetensors"),
    # one family's model in another's loader
    (
        "wan2.2-i2v-14b",
        "high_noise",
        "wan2.2_ti2v_5B_fp16",
        "choose wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors, or use the loader Wan 2.2 5B",
    ),
    (
        "wan2.2-ti2v-5b",
        "model",
        "wan2.2_i2v_low_noise_14B_fp8_scaled",
        "choose wan2.2_ti2v_5B_fp16.safetensors, or use the loader Wan 2.2 14B",
    ),
    ("wan2.2-i2v-14b", "low_noise", "wan2.1_i2v_480p_14B_fp16", "or use the loader Wan 2.1"),
    ("wan2.1-i2v", "model", "wan2.2_i2v_high_noise_14B_fp8_scaled", "use the loader Wan 2.2 14B"),
    ("wan2.1-i2v", "model", "wan2.2_ti2v_5B_fp16", "or use the loader Wan 2.2 5B"),
    ("hunyuan-video-1.5", "model", "hunyuan_video_t2v_720p_bf16", "first HunyuanVideo"),
    ("flux-kontext", "model", "qwen_image_edit_2509_fp8_e4m3fn", "loader Qwen-Image-Edit 2509"),
    # text-to-video
    ("wan2.1-i2v", "model", "wan2.1_t2v_14B_fp16", "can't start from a picture"),
    ("wan2.2-i2v-14b", "high_noise", "wan2.1_t2v_14B_fp16", "can't start from a picture"),
    ("cosmos-predict2", "model", "cosmos_predict2_2B_t2i", "text-to-image"),
    # text encoders
    ("wan2.1-i2v", "text_encoder", "t5xxl_fp16", "choose umt5_xxl_fp8_e4m3fn_scaled"),
    ("wan2.2-i2v-14b", "text_encoder", "t5xxl_fp16", "choose umt5_xxl_fp8_e4m3fn_scaled"),
    ("wan2.2-i2v-14b", "text_encoder", "umt5-xxl-enc-bf16", "written for other programs"),
    ("wan2.2-i2v-14b", "text_encoder", "umt5-xxl-of-hugging-face", "without its tokenizer"),
    ("wan2.2-ti2v-5b", "text_encoder", "clip_l", "choose umt5_xxl_fp8_e4m3fn_scaled"),
    ("ltx-video", "text_encoder", "umt5_xxl_fp8_e4m3fn_scaled", "choose t5xxl_fp16"),
    ("cosmos-predict2", "text_encoder", "t5xxl_fp16", "choose oldt5_xxl_fp8_e4m3fn_scaled"),
    ("hunyuan-video-1.5", "text_encoder", "t5xxl_fp16", "choose qwen_2.5_vl_7b_fp8_scaled"),
    # vision encoders
    ("wan2.1-i2v", "clip_vision", "sigclip_vision_patch14_384", "choose clip_vision_h"),
    ("hunyuan-video-1.5", "clip_vision", "clip_vision_h", "choose sigclip_vision_patch14_384"),
    # checkpoints
    ("svd", "checkpoint", "sd_xl_base_1.0", "or use the loader SD 1.5 / SDXL"),
    ("svd", "checkpoint", "v1-5-pruned-emaonly-fp16", "choose svd_xt.safetensors"),
    ("sd", "checkpoint", "svd_xt", "choose sd_xl_base_1.0.safetensors, or use the loader SVD"),
    ("ltx-video", "checkpoint", "sd_xl_base_1.0", "choose ltx-video-2b-v0.9.5.safetensors"),
    ("ltx-video", "checkpoint", "ltx-2-19b-dev-fp8", "is an LTX-2 model"),
]


@pytest.mark.parametrize(("family", "role", "file", "hint"), WRONG)
def test_a_wrong_file_gets_one_sentence(
    tmp_path: Path, family: str, role: str, file: str, hint: str
):
    model = MODELS[family]
    path = write(tmp_path / f"{file}.safetensors", FILES[file])
    headers = choice(model) | {role: read_header(path)}
    with pytest.raises(FamilyError) as caught:
        model.check(headers)
    sentence = str(caught.value)
    assert sentence.startswith(f"{file}.safetensors is ")
    assert hint in sentence
    assert f" but {model.title} needs " in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "diffusion_model."])
def test_a_prefix_hides_nothing(prefix: str):
    shapes = {prefix + key: shape for key, shape in FILES["wan2.2_ti2v_5B_fp16"].items()}
    model = MODELS["wan2.1-i2v"]
    with pytest.raises(FamilyError, match=r"loader Wan 2\.2 5B"):
        model.check(choice(model) | {"model": Header("some.safetensors", shapes)})


UNSURE = [
    Header("my_merge.safetensors", {"some.unknown.weight": (1, 2)}),
    Header("wan2.2_ti2v_5B_Q8_0.gguf"),
    Header("old.ckpt"),
    header("wan2.1_vace_14B_fp16"),
    header("wan2.2_fun_camera_14B"),
    header("sd-inpainting"),
    Header("two.safetensors", FILES["svd_xt"] | FILES["wan2.2_ti2v_5B_fp16"]),
    Header("odd.safetensors", {"head.modulation": (1,), "patch_embedding.weight": (5,)}),
    Header(
        "wan_new.safetensors",
        FILES["wan2.1_t2v_14B_fp16"] | {"patch_embedding.weight": (5120, 20, 1, 2, 2)},
    ),
]


@pytest.mark.parametrize("unsure", UNSURE, ids=lambda unsure: unsure.name)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_what_is_not_known_is_not_refused(model: Model, unsure: Header):
    for slot in model.slots:
        model.check(choice(model) | {slot.role: unsure})


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_slot_without_a_file_is_not_checked(model: Model):
    model.check({})


def test_first_last_frame_files_are_wan_21():
    model = MODELS["wan2.1-i2v"]
    model.check(choice(model, model="wan2.1_flf2v_720p_14B_fp16"))


def test_text_encoders_may_be_swapped():
    model = MODELS["flux-kontext"]
    model.check(choice(model, text_encoder="t5xxl_fp16", text_encoder_2="clip_l"))


@pytest.mark.parametrize(
    ("family", "chosen", "sentence"),
    [
        (
            "hunyuan-video-1.5",
            {"text_encoder_2": "qwen_2.5_vl_7b_fp8_scaled"},
            r"^qwen_2\.5\S+ is chosen twice, but .* choose qwen_2\.5\S+ and byt5_small\S+\.$",
        ),
        (
            "hunyuan-video-1.5",
            {"text_encoder": "unknown", "text_encoder_2": "unknown"},
            r"^unknown\.safetensors is chosen twice",
        ),
        (
            "flux-kontext",
            {"text_encoder_2": "clip_l"},
            r"^clip_l\.safetensors is chosen twice, but FLUX\.1 Kontext needs two",
        ),
        (
            "flux-kontext",
            {"text_encoder": "t5xxl_fp16"},
            r"^t5xxl_fp16\.safetensors and t5xxl_fp8_e4m3fn_scaled\.safetensors are both a T5-XXL",
        ),
    ],
)
def test_one_text_encoder_twice_is_refused(family: str, chosen: dict[str, str], sentence: str):
    model = MODELS[family]
    with pytest.raises(FamilyError, match=sentence):
        model.check(choice(model, **chosen))


def lora(*layers: str) -> Header:
    return Header("some_lora.safetensors", {f"{name}.lora_down.weight": (4, 8) for name in layers})


WAN_KEYS = [
    "diffusion_model.blocks.0.self_attn.q",
    "blocks.0.self_attn.q",
    "lora_unet_blocks_0_self_attn_q",
    "transformer.blocks.0.attn1.to_q",
]
QWEN_KEYS = [
    "transformer_blocks.0.attn.to_q",
    "transformer.transformer_blocks.0.attn.to_q",
    "lora_unet_transformer_blocks_0_attn_to_q",
]
OTHER_KEYS = [
    "diffusion_model.double_blocks.0.img_attn.proj",
    "lora_unet_single_blocks_0_linear1",
    "lora_unet_down_blocks_0_attentions_0_proj_in",
    "unet.mid_block.attentions.0.proj_in",
]
UNKNOWN_KEYS = [
    "text_encoder.layers.0.q",
    "lora_te_text_model_0",
    "head.head",
    "my_own.layer",
    "lora_transformer_blocks_0_attn1_to_q",  # blocks or transformer_blocks: it can be either
]
LORAS = [
    ("wan2.2-i2v-14b", "high_noise_lora", WAN_KEYS, [*QWEN_KEYS, *OTHER_KEYS]),
    ("wan2.2-i2v-14b", "low_noise_lora", WAN_KEYS, [*QWEN_KEYS, *OTHER_KEYS]),
    ("qwen-edit-2509", "lora", QWEN_KEYS, [*WAN_KEYS, *OTHER_KEYS]),
]


@pytest.mark.parametrize(
    ("family", "role", "key"), [(id_, role, key) for id_, role, _, keys in LORAS for key in keys]
)
def test_a_lora_for_another_model_is_refused(family: str, role: str, key: str):
    model = MODELS[family]
    official = next(slot for slot in model.slots if slot.role == role).official[0].name
    with pytest.raises(FamilyError) as caught:
        model.check(choice(model) | {role: lora(key)})
    assert str(caught.value) == (
        f"some_lora.safetensors is a LoRA for another model, but {model.title} needs a LoRA of "
        f"its own as its {role.replace('_', ' ')}: choose {official}."
    )


@pytest.mark.parametrize(
    ("family", "role", "key"),
    [(id_, role, key) for id_, role, keys, _ in LORAS for key in [*keys, *UNKNOWN_KEYS]],
)
def test_a_lora_that_may_fit_passes(family: str, role: str, key: str):
    model = MODELS[family]
    model.check(choice(model) | {role: lora(key)})


def test_a_lora_for_two_models_passes():
    model = MODELS["wan2.2-i2v-14b"]
    model.check(choice(model) | {"high_noise_lora": lora(WAN_KEYS[0], QWEN_KEYS[0])})


def test_a_whole_model_is_no_lora():
    model = MODELS["wan2.2-i2v-14b"]
    with pytest.raises(
        FamilyError, match=r"is a Wan 2\.2 5B model, but .* needs a LoRA of its own"
    ):
        model.check(choice(model, high_noise_lora="wan2.2_ti2v_5B_fp16"))


HIGH, LOW = "wan2.2_i2v_high_noise_14B_fp8_scaled", "wan2.2_i2v_low_noise_14B_fp8_scaled"
LORA = "wan2.2_i2v_lightx2v_4steps_lora_v1_{}_noise"


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"high_noise": LOW, "low_noise": HIGH}, "swap them"),
        ({"low_noise": HIGH}, "for high noise and for low noise"),
        ({"high_noise": LOW, "low_noise": "my_low"}, "the one with high_noise in its name"),
        ({"high_noise": "my_high", "low_noise": "sub/" + HIGH}, "with low_noise in its name"),
        ({"high_noise": "low/x", "low_noise": "low/x"}, "for high noise and for low noise"),
        (
            {"high_noise_lora": LORA.format("low"), "low_noise_lora": LORA.format("high")},
            "swap them",
        ),
    ],
)
def test_experts_in_the_wrong_places_are_refused(chosen: dict[str, str], sentence: str):
    model = MODELS["wan2.2-i2v-14b"]
    with pytest.raises(FamilyError, match=sentence):
        model.check(choice(model, **chosen))


@pytest.mark.parametrize(
    ("high", "low"),
    [
        ("Wan22-I2V-HighNoise-Q8", "Wan22-I2V-LowNoise-Q8"),
        ("a", "b"),
        ("high_noise and low_noise a", "high_noise and low_noise b"),
        ("low_noise/wan_a", "low_noise/wan_b"),
        ("low_noise\\wan_a", "low_noise\\wan_b"),
        ("highway_noisy", "lowlands"),
    ],
)
def test_names_that_say_nothing_wrong_pass(high: str, low: str):
    model = MODELS["wan2.2-i2v-14b"]
    model.check(choice(model, high_noise=high, low_noise=low))


def test_homes_are_titles_of_families():
    _, rows = kinds_module._rules()
    titles = {model.title for model in MODELS.values()}
    assert {kind.home for kind in rows.values()} - {""} <= titles


def test_no_kind_is_another_one():
    _, rows = kinds_module._rules()
    for name in FILES:
        fitting = [kind.id for kind in rows.values() if kind.fits(FILES[name], "")]
        fitting += [kind.id for kind in rows.values() if kind.fits(FILES[name], UNET)]
        assert len(fitting) <= 1, (name, fitting)
