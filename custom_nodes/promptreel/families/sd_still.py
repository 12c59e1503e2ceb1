"""SD 1.5 and SDXL as keyframe makers: img2img.

Source: the templates image2image (SD 1.5) and image_sdxl_simple (SDXL's sampler values) of
ComfyUI's template packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from . import core
from .base import STRENGTHS, UNSEEN, Files, KeyframeFamily, Kinds
from .headers import Header
from .kinds import expect
from .limits import StillLimits
from .models import slot
from .values import Builder, Drawing, Link, Options, Parts, Sampling


class StableDiffusion(KeyframeFamily):
    """One checkpoint that holds everything. SDXL is told by its header, else by its name."""

    id = "sd"
    title = "SD 1.5 / SDXL"
    node_id = "PromptReelSDModel"
    prompts = "sd"
    slots = (
        slot("checkpoint", "sd_xl_base_1.0.safetensors", "v1-5-pruned-emaonly-fp16.safetensors"),
    )
    switches = ()
    strengths: ClassVar[Mapping[str, float]] = dict(
        zip(STRENGTHS, (0.3, 0.5, 0.7, 0.87), strict=True)
    )

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> StillLimits:  # noqa: ARG002
        """About a megapixel for SDXL, a quarter of one for SD 1.5."""
        side = 1024 if _is_xl(files, kinds) else 512
        return StillLimits(side_step=8, extent=(side, side))

    def sampling(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Sampling:  # noqa: ARG002
        """The templates' values."""
        if _is_xl(files, kinds):
            return Sampling(25, 7.0, "dpmpp_2m", "karras")
        return Sampling(15, 8.0, "dpmpp_2m", "normal")

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:  # noqa: ARG002
        """One loader."""
        loaded = graph.node("CheckpointLoaderSimple", ckpt_name=files["checkpoint"])
        return Parts(model=loaded.out(0), clip=loaded.out(1), vae=loaded.out(2))

    def draw(self, graph: Builder, parts: Parts, asked: Drawing) -> Link:
        """One sampler over the picture's latent."""
        latent = graph.node("VAEEncode", pixels=asked.image, vae=parts.vae).out(0)
        texts = core.encode_pair(graph, parts.clip, asked)
        samples = core.sample(
            graph, parts.model, texts, latent, asked.sampling, asked.seed, asked.strength
        )
        return core.decode(graph, samples, parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """A checkpoint of an image model, not SVD's."""
        expect(self, headers, "checkpoint", "sd", "sdxl")


def _is_xl(files: Files, kinds: Kinds) -> bool:
    seen = kinds.get("checkpoint")
    return seen == "sdxl" if seen else "xl" in files.get("checkpoint", "xl").lower()


SD_STILL = StableDiffusion()
