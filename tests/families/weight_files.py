"""Files with a safetensors header and no weights: what a check reads of a real model file.

The shapes are those of the distributed files (a row or two of each).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

Shapes = dict[str, tuple[int, ...]]


def _wan(channels: int, *more: str) -> Shapes:
    shapes: Shapes = {
        "head.modulation": (1, 2, 5120),
        "patch_embedding.weight": (5120, channels, 1, 2, 2),
        "blocks.0.self_attn.q.weight": (5120, 5120),
    }
    return shapes | dict.fromkeys(more, (1280,))


def _t5(vocabulary: int, *more: str) -> Shapes:
    return {
        "shared.weight": (vocabulary, 4096),
        "encoder.final_layer_norm.weight": (4096,),
        "encoder.block.0.layer.0.SelfAttention.k.weight": (4096, 4096),
        "encoder.block.23.layer.1.DenseReluDense.wi_1.weight": (10240, 4096),
        **dict.fromkeys(more, (4548313,)),
    }


def _below(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + key: shape for key, shape in shapes.items()}


UNET = "model.diffusion_model."
FILES: dict[str, Shapes] = {
    "wan2.1_i2v_480p_14B_fp16": _wan(36, "img_emb.proj.0.bias"),
    "wan2.1_flf2v_720p_14B_fp16": _wan(36, "img_emb.proj.0.bias", "img_emb.emb_pos"),
    "wan2.2_i2v_high_noise_14B_fp8_scaled": _wan(36, "scaled_fp8"),
    "wan2.2_i2v_low_noise_14B_fp8_scaled": _wan(36, "scaled_fp8"),
    "wan2.1_t2v_14B_fp16": _wan(16),
    "wan2.2_ti2v_5B_fp16": _wan(48),
    "wan2.1_vace_14B_fp16": _wan(16, "vace_patch_embedding.weight"),
    "wan2.2_fun_camera_14B": _wan(36, "control_adapter.conv.weight"),
    "wan_2.1_vae": {
        "decoder.middle.0.residual.0.gamma": (384, 1, 1, 1),
        "conv2.weight": (16, 16, 1, 1, 1),
    },
    "wan2.2_vae": {
        "decoder.middle.0.residual.0.gamma": (1024, 1, 1, 1),
        "decoder.upsamples.0.upsamples.0.residual.2.weight": (1024, 1024, 3, 3, 3),
        "conv2.weight": (48, 48, 1, 1, 1),
    },
    "umt5_xxl_fp8_e4m3fn_scaled": _t5(256384, "spiece_model"),
    "umt5-xxl-of-hugging-face": _t5(256384),
    "umt5-xxl-enc-bf16": {
        "token_embedding.weight": (256384, 4096),
        "blocks.0.attn.q.weight": (4096, 4096),
        "blocks.0.pos_embedding.embedding.weight": (32, 64),
    },
    "t5xxl_fp16": _t5(32128),
    "oldt5_xxl_fp8_e4m3fn_scaled": {
        "shared.weight": (32128, 1024),
        "encoder.final_layer_norm.weight": (1024,),
        "encoder.block.23.layer.1.DenseReluDense.wi.weight": (65536, 1024),
    },
    "byt5_small_glyphxl_fp16": {"encoder.block.0.layer.0.SelfAttention.k.weight": (384, 1472)},
    "qwen_2.5_vl_7b_fp8_scaled": {"model.layers.0.self_attn.k_proj.bias": (512,)},
    "clip_l": {"text_model.encoder.layers.0.mlp.fc1.weight": (3072, 768)},
    "clip_vision_h": {"vision_model.embeddings.class_embedding": (1280,)},
    "sigclip_vision_patch14_384": {
        "vision_model.embeddings.patch_embedding.weight": (1152, 3, 14, 14)
    },
    "hunyuanvideo1.5_720p_i2v_fp16": {
        "txt_in.individual_token_refiner.blocks.0.norm1.weight": (2048,),
        "byt5_in.fc1.weight": (2048, 1472),
        "vision_in.proj.0.weight": (1152,),
    },
    "hunyuan_video_t2v_720p_bf16": {
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
        "img_in.weight": (3072, 16, 1, 2, 2),
        "txt_in.individual_token_refiner.blocks.0.norm1.weight": (3072,),
    },
    "hunyuanvideo15_vae_fp16": {"decoder.conv_in.conv.weight": (1024, 32, 3, 3, 3)},
    "cosmos_predict2_2B_video2world_480p_16fps": _below(
        "net.",
        {"x_embedder.proj.1.weight": (2048, 72), "blocks.0.mlp.layer1.weight": (8192, 2048)},
    ),
    "cosmos_predict2_2B_t2i": {
        "x_embedder.proj.1.weight": (2048, 68),
        "blocks.0.mlp.layer1.weight": (8192, 2048),
    },
    "ltx-video-2b-v0.9.5": _below(
        UNET,
        {
            "patchify_proj.weight": (2048, 128),
            "adaln_single.emb.timestep_embedder.linear_1.bias": (2048,),
        },
    ),
    "ltx-2-19b-dev-fp8": _below(
        UNET,
        {
            "patchify_proj.weight": (4096, 128),
            "adaln_single.emb.timestep_embedder.linear_1.bias": (4096,),
            "audio_adaln_single.linear.weight": (12288, 2048),
        },
    ),
    "svd_xt": _below(
        UNET,
        {
            "input_blocks.0.0.weight": (320, 8, 3, 3),
            "input_blocks.1.0.time_stack.emb_layers.1.weight": (320, 1280),
        },
    ),
    "sd_xl_base_1.0": _below(
        UNET, {"input_blocks.0.0.weight": (320, 4, 3, 3), "label_emb.0.0.weight": (1280, 2816)}
    ),
    "v1-5-pruned-emaonly-fp16": _below(
        UNET,
        {
            "input_blocks.0.0.weight": (320, 4, 3, 3),
            "input_blocks.1.1.proj_in.weight": (320, 320, 1, 1),
        },
    ),
    "sd21-unclip-h": _below(
        UNET,
        {
            "input_blocks.0.0.weight": (320, 4, 3, 3),
            "input_blocks.1.1.proj_in.weight": (320, 320),
            "label_emb.0.0.weight": (1280, 2048),
        },
    ),
    "sd-inpainting": _below(UNET, {"input_blocks.0.0.weight": (320, 9, 3, 3)}),
    "flux1-dev-kontext_fp8_scaled": {
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
        "img_in.weight": (3072, 64),
    },
    "ae": {"decoder.conv_in.weight": (512, 16, 3, 3)},
    "sdxl_vae": {"decoder.conv_in.weight": (512, 4, 3, 3)},
    "qwen_image_edit_2509_fp8_e4m3fn": {
        "txt_norm.weight": (3584,),
        "transformer_blocks.0.img_mod.1.weight": (18432, 3072),
    },
}
FILES["qwen_image_vae"] = FILES["wan_2.1_vae"]
FILES["svd"] = FILES["svd_xt"]
FILES["t5xxl_fp8_e4m3fn_scaled"] = FILES["t5xxl_fp16"] | {"scaled_fp8": (2,)}


def header_bytes(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """Return a header whose tensors take no bytes."""
    rows = {
        key: {"dtype": "F16", "shape": list(shape), "data_offsets": [0, 0]}
        for key, shape in shapes.items()
    }
    return json.dumps({"__metadata__": {"format": "pt"}, **rows}).encode()


def write(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """Write such a file."""
    header = header_bytes(shapes)
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path
