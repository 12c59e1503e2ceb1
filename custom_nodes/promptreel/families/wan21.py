"""Wan 2.1 image to video: 480p and 720p, and first-last-frame.

Source: the templates image_to_video_wan and wan2.1_flf2v_720_f16 of ComfyUI's template package.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import core, wan
from .base import UNSEEN, Family, Files, Kinds
from .headers import Header
from .kinds import expect
from .limits import Limits
from .models import slot
from .values import Builder, Link, Options, Parts, Sampling, Shoot


class Wan21(Family):
    """One diffusion model of 14 B parameters that sees the picture through CLIP vision too."""

    id = "wan2.1-i2v"
    title = "Wan 2.1"
    node_id = "PromptReelWan21Model"
    prompts = "wan"
    slots = (
        slot(
            "model",
            "wan2.1_i2v_480p_14B_fp16.safetensors",
            "wan2.1_i2v_480p_14B_fp8_scaled.safetensors",
            "wan2.1_i2v_720p_14B_fp16.safetensors",
            "wan2.1_i2v_720p_14B_fp8_e4m3fn.safetensors",
            "wan2.1_flf2v_720p_14B_fp16.safetensors",
            "wan2.1_flf2v_720p_14B_fp8_e4m3fn.safetensors",
        ),
        wan.TEXT_ENCODER,
        wan.VAE_21,
        slot("clip_vision", "clip_vision_h.safetensors"),
    )
    speaks = ("en", "ru")
    takes_end = True

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Limits:  # noqa: ARG002
        """480p or 720p by the file's name; an end picture by its header, else by its name."""
        name, seen = files.get("model", "").lower(), kinds.get("model")
        extent = (1280, 720) if "720p" in name else (832, 480)
        ends = "flf" in name or "i2v" not in name
        return wan.limits(extent, takes_end=seen == "wan21_flf2v" if seen else ends)

    def sampling(self, files: Files, options: Options, end: bool = False) -> Sampling:  # noqa: ARG002
        """Guidance is lower where two pictures hold the video."""
        return Sampling(20, 3.0 if end else 6.0, "uni_pc", "simple", 8.0)

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:
        """Four loaders."""
        vision = graph.node("CLIPVisionLoader", clip_name=files["clip_vision"])
        return Parts(
            model=core.load_model(graph, files["model"], options.weight_dtype),
            clip=core.load_clip(graph, files["text_encoder"], "wan"),
            vae=core.load_vae(graph, files["vae"]),
            clip_vision=vision.out(0),
        )

    def shoot(self, graph: Builder, parts: Parts, asked: Shoot) -> Link:
        """One sampler after WanImageToVideo, or WanFirstLastFrameToVideo with an end picture."""
        positive, negative, latent = wan.conditioning(graph, parts, asked)
        model = core.shifted(graph, parts.model, asked.sampling.shift)
        pair = (positive, negative)
        samples = core.sample(graph, model, pair, latent, asked.sampling, asked.seed)
        return core.decode(graph, samples, parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """A 14 B image-to-video model with the 2.1 VAE and UMT5."""
        expect(self, headers, "model", "wan21_i2v", "wan21_flf2v")
        wan.check_common(self, headers)
        expect(self, headers, "clip_vision", "clip_vision_h")


WAN21 = Wan21()
