"""HunyuanVideo 1.5 image to video, 480p and 720p.

Source: the template video_hunyuan_video_1.5_720p_i2v of ComfyUI's template package. Its note tells
the shift of 480p (5) and 720p (7) and that distilled files take a guidance of 1.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import core
from .base import UNSEEN, Family, Files, Kinds
from .headers import Header
from .kinds import apart, expect
from .limits import Limits
from .models import slot
from .values import Builder, Link, Options, Parts, Sampling, Shoot


class HunyuanVideo15(Family):
    """One model with two text encoders (Qwen2.5-VL, and ByT5 for words in the picture)."""

    id = "hunyuan-video-1.5"
    title = "HunyuanVideo 1.5"
    node_id = "PromptReelHunyuanVideo15Model"
    prompts = "hunyuan"
    slots = (
        slot("model", "hunyuanvideo1.5_720p_i2v_fp16.safetensors"),
        slot("text_encoder", "qwen_2.5_vl_7b_fp8_scaled.safetensors"),
        slot("text_encoder_2", "byt5_small_glyphxl_fp16.safetensors"),
        slot("vae", "hunyuanvideo15_vae_fp16.safetensors"),
        slot("clip_vision", "sigclip_vision_patch14_384.safetensors"),
    )
    speaks = ("en", "ru")

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Limits:  # noqa: ARG002
        """4n+1 frames up to 121 (5 s) at 24 fps, sides of 16."""
        return Limits(
            side_step=16,
            extent=(848, 480) if _is_480p(files) else (1280, 720),
            frame_step=4,
            frame_offset=1,
            min_frames=5,
            max_frames=121,
            fps=24.0,
        )

    def sampling(self, files: Files, options: Options, end: bool = False) -> Sampling:  # noqa: ARG002
        """The template's 20 steps (the makers take 50)."""
        cfg = 1.0 if "distilled" in files.get("model", "").lower() else 6.0
        return Sampling(20, cfg, "euler", "simple", 5.0 if _is_480p(files) else 7.0)

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:
        """Four loaders."""
        encoders = files["text_encoder"], files["text_encoder_2"]
        vision = graph.node("CLIPVisionLoader", clip_name=files["clip_vision"])
        return Parts(
            model=core.load_model(graph, files["model"], options.weight_dtype),
            clip=core.load_clips(graph, *encoders, "hunyuan_video_15"),
            vae=core.load_vae(graph, files["vae"]),
            clip_vision=vision.out(0),
        )

    def shoot(self, graph: Builder, parts: Parts, asked: Shoot) -> Link:
        """HunyuanVideo15ImageToVideo through SamplerCustomAdvanced."""
        positive, negative = core.encode_pair(graph, parts.clip, asked)
        seen = core.look(graph, parts.clip_vision, asked.start, "center")
        started = graph.node(
            "HunyuanVideo15ImageToVideo",
            positive=positive,
            negative=negative,
            vae=parts.vae,
            width=asked.width,
            height=asked.height,
            length=asked.frames,
            batch_size=1,
            start_image=asked.start,
            clip_vision_output=seen,
        )
        guider = graph.node(
            "CFGGuider",
            model=core.shifted(graph, parts.model, asked.sampling.shift),
            positive=started.out(0),
            negative=started.out(1),
            cfg=asked.sampling.cfg,
        )
        samples = graph.node(
            "SamplerCustomAdvanced",
            noise=graph.node("RandomNoise", noise_seed=asked.seed).out(0),
            guider=guider.out(0),
            sampler=core.sampler(graph, asked.sampling),
            sigmas=core.schedule(graph, parts.model, asked.sampling),
            latent_image=started.out(2),
        )
        return core.decode(graph, samples.out(0), parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """A 1.5 model with its own VAE, Qwen2.5-VL, ByT5 and SigLIP."""
        expect(self, headers, "model", "hunyuan15")
        expect(self, headers, "vae", "hunyuan15_vae")
        expect(self, headers, "text_encoder", "qwen25_vl", "byt5")
        expect(self, headers, "text_encoder_2", "byt5", "qwen25_vl")
        apart(self, headers, "text_encoder", "text_encoder_2")
        expect(self, headers, "clip_vision", "siglip")


def _is_480p(files: Files) -> bool:
    return "480p" in files.get("model", "").lower()


HUNYUAN15 = HunyuanVideo15()
