"""Cosmos Predict2 video to world: physical scenes from a start and, if wanted, an end picture.

Source: the template video_cosmos_predict2_2B_video2world_480p_16fps of ComfyUI's package 0.1.60.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import core, wan
from .base import UNSEEN, Family, Files, Kinds
from .headers import Header
from .kinds import expect
from .limits import Limits
from .models import slot
from .values import Builder, Link, Options, Parts, Sampling, Shoot


class CosmosPredict2(Family):
    """One model with the old T5-XXL (1.0) and Wan's 2.1 VAE."""

    id = "cosmos-predict2"
    title = "Cosmos Predict2"
    node_id = "PromptReelCosmosPredict2Model"
    prompts = "cosmos"
    slots = (
        slot(
            "model",
            "cosmos_predict2_2B_video2world_480p_16fps.safetensors",
            "cosmos_predict2_2B_video2world_720p_16fps.safetensors",
            "cosmos_predict2_14B_video2world_480p_16fps.safetensors",
            "cosmos_predict2_14B_video2world_720p_16fps.safetensors",
        ),
        slot("text_encoder", "oldt5_xxl_fp8_e4m3fn_scaled.safetensors"),
        wan.VAE_21,
    )
    takes_end = True

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Limits:  # noqa: ARG002
        """4n+1 frames up to 93, sides of 16; size and rate as the file's name tells them."""
        name = files.get("model", "").lower()
        told = re.search(r"(\d+)fps", name)
        return Limits(
            side_step=16,
            extent=(1280, 704) if "720p" in name else (848, 480),
            frame_step=4,
            frame_offset=1,
            min_frames=5,
            max_frames=93,
            fps=float(told[1]) if told else 16.0,
            takes_end=True,
        )

    def sampling(self, files: Files, options: Options, end: bool = False) -> Sampling:  # noqa: ARG002
        """The template's values; the model has no shift."""
        return Sampling(35, 4.0, "euler", "karras")

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:
        """Three loaders."""
        return Parts(
            model=core.load_model(graph, files["model"], options.weight_dtype),
            clip=core.load_clip(graph, files["text_encoder"], "cosmos"),
            vae=core.load_vae(graph, files["vae"]),
        )

    def shoot(self, graph: Builder, parts: Parts, asked: Shoot) -> Link:
        """One sampler over the latent of CosmosPredict2ImageToVideoLatent."""
        pictures = {"start_image": asked.start, "end_image": asked.end}
        latent = graph.node(
            "CosmosPredict2ImageToVideoLatent",
            vae=parts.vae,
            width=asked.width,
            height=asked.height,
            length=asked.frames,
            batch_size=1,
            **{key: link for key, link in pictures.items() if link is not None},
        )
        texts = core.encode_pair(graph, parts.clip, asked)
        samples = core.sample(graph, parts.model, texts, latent.out(0), asked.sampling, asked.seed)
        return core.decode(graph, samples, parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """A video2world model with the old T5 and the Wan 2.1 VAE."""
        expect(self, headers, "model", "cosmos2_video")
        expect(self, headers, "text_encoder", "old_t5")
        expect(self, headers, "vae", "wan21_vae")


COSMOS2 = CosmosPredict2()
