"""Wan 2.2 TI2V 5B: text and a start picture to 720p video at 24 fps, on one small model.

Source: the template video_wan2_2_5B_ti2v of ComfyUI's template package.
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


class Wan22Small(Family):
    """One model with a VAE of its own; its latent carries the start picture as a mask."""

    id = "wan2.2-ti2v-5b"
    title = "Wan 2.2 5B"
    node_id = "PromptReelWan22TI2V5BModel"
    prompts = "wan"
    slots = (
        slot("model", "wan2.2_ti2v_5B_fp16.safetensors"),
        wan.TEXT_ENCODER,
        slot("vae", "wan2.2_vae.safetensors"),
    )
    speaks = ("en", "ru")

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Limits:  # noqa: ARG002
        """4n+1 frames up to 121 (5 s) at 24 fps, sides of 32."""
        return Limits(
            side_step=32,
            extent=(1280, 704),
            frame_step=4,
            frame_offset=1,
            min_frames=5,
            max_frames=121,
            fps=24.0,
        )

    def sampling(self, files: Files, options: Options, end: bool = False) -> Sampling:  # noqa: ARG002
        """The template's values."""
        return Sampling(20, 5.0, "uni_pc", "simple", 8.0)

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:
        """Three loaders."""
        return Parts(
            model=core.load_model(graph, files["model"], options.weight_dtype),
            clip=core.load_clip(graph, files["text_encoder"], "wan"),
            vae=core.load_vae(graph, files["vae"]),
        )

    def shoot(self, graph: Builder, parts: Parts, asked: Shoot) -> Link:
        """One sampler over the latent of Wan22ImageToVideoLatent."""
        latent = graph.node(
            "Wan22ImageToVideoLatent",
            vae=parts.vae,
            width=asked.width,
            height=asked.height,
            length=asked.frames,
            batch_size=1,
            start_image=asked.start,
        )
        texts = core.encode_pair(graph, parts.clip, asked)
        model = core.shifted(graph, parts.model, asked.sampling.shift)
        samples = core.sample(graph, model, texts, latent.out(0), asked.sampling, asked.seed)
        return core.decode(graph, samples, parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """The 5B model with the 2.2 VAE and UMT5."""
        expect(self, headers, "model", "wan22_5b")
        expect(self, headers, "vae", "wan22_vae")
        expect(self, headers, "text_encoder", "umt5")


WAN22_5B = Wan22Small()
