"""FLUX.1 Kontext dev as a keyframe maker: the words say what to change in the picture.

Source: the template flux_kontext_dev_basic of ComfyUI's template package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from . import core
from .base import STRENGTHS, UNSEEN, Files, KeyframeFamily, Kinds
from .headers import Header
from .kinds import apart, expect
from .limits import StillLimits
from .models import slot
from .values import Builder, Drawing, Link, Options, Parts, Sampling

_GUIDANCE = 2.5


class FluxKontext(KeyframeFamily):
    """An edit model with distilled guidance: it takes no negative words."""

    id = "flux-kontext"
    title = "FLUX.1 Kontext"
    node_id = "PromptReelFluxKontextModel"
    prompts = "kontext"
    slots = (
        slot("model", "flux1-dev-kontext_fp8_scaled.safetensors"),
        slot("text_encoder", "clip_l.safetensors"),
        slot("text_encoder_2", "t5xxl_fp8_e4m3fn_scaled.safetensors", "t5xxl_fp16.safetensors"),
        slot("vae", "ae.safetensors"),
    )
    strengths: ClassVar[Mapping[str, float]] = dict.fromkeys(STRENGTHS, 1.0)

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> StillLimits:  # noqa: ARG002
        """About a megapixel."""
        return StillLimits(side_step=16, extent=(1024, 1024))

    def sampling(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Sampling:  # noqa: ARG002
        """The template's values."""
        return Sampling(20, 1.0, "euler", "simple")

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:
        """Three loaders."""
        encoders = files["text_encoder"], files["text_encoder_2"]
        return Parts(
            model=core.load_model(graph, files["model"], options.weight_dtype),
            clip=core.load_clips(graph, *encoders, "flux"),
            vae=core.load_vae(graph, files["vae"]),
        )

    def draw(self, graph: Builder, parts: Parts, asked: Drawing) -> Link:
        """One sampler, with the picture as the reference of the words."""
        words = core.encode(graph, parts.clip, asked.positive)
        latent = graph.node("VAEEncode", pixels=asked.image, vae=parts.vae).out(0)
        seen = graph.node("ReferenceLatent", conditioning=words, latent=latent)
        guided = graph.node("FluxGuidance", conditioning=seen.out(0), guidance=_GUIDANCE)
        nothing = graph.node("ConditioningZeroOut", conditioning=words)
        pair = guided.out(0), nothing.out(0)
        samples = core.sample(
            graph, parts.model, pair, latent, asked.sampling, asked.seed, asked.strength
        )
        return core.decode(graph, samples, parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """A FLUX.1 model with CLIP-L, T5-XXL and its VAE."""
        expect(self, headers, "model", "flux")
        expect(self, headers, "text_encoder", "clip", "t5xxl")
        expect(self, headers, "text_encoder_2", "t5xxl", "clip")
        apart(self, headers, "text_encoder", "text_encoder_2")
        expect(self, headers, "vae", "flux_vae")


KONTEXT = FluxKontext()
