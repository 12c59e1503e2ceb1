"""Qwen-Image-Edit 2509 as a keyframe maker: the words say what to change in the picture.

Source: the template image_qwen_image_edit_2509 of ComfyUI's template package (media 0.3.17).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from . import core
from .base import STRENGTHS, UNSEEN, Files, KeyframeFamily, Kinds
from .headers import Header
from .kinds import expect, expect_lora
from .limits import StillLimits
from .models import slot
from .values import Builder, Drawing, Link, Options, Parts, Sampling


class QwenEdit(KeyframeFamily):
    """An edit model: it always starts from full noise and sees the picture beside the words."""

    id = "qwen-edit-2509"
    title = "Qwen-Image-Edit 2509"
    node_id = "PromptReelQwenEditModel"
    prompts = "qwen_edit"
    slots = (
        slot("model", "qwen_image_edit_2509_fp8_e4m3fn.safetensors"),
        slot("text_encoder", "qwen_2.5_vl_7b_fp8_scaled.safetensors"),
        slot("vae", "qwen_image_vae.safetensors"),
        slot("lora", "Qwen-Image-Edit-2509-Lightning-4steps-V1.0-bf16.safetensors", optional=True),
    )
    speaks = ("en", "ru")
    switches = ("weight_dtype", "fast")
    strengths: ClassVar[Mapping[str, float]] = dict.fromkeys(STRENGTHS, 1.0)

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> StillLimits:  # noqa: ARG002
        """About a megapixel."""
        return StillLimits(side_step=16, extent=(1024, 1024))

    def sampling(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Sampling:  # noqa: ARG002
        """20 steps, or 4 without guidance with the LoRA."""
        if options.fast:
            return Sampling(4, 1.0, "euler", "simple", 3.0)
        return Sampling(20, 2.5, "euler", "simple", 3.0)

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:
        """Three loaders, and the LoRA when `fast`."""
        model = core.load_model(graph, files["model"], options.weight_dtype)
        return Parts(
            model=core.load_lora(graph, model, files["lora"]) if options.fast else model,
            clip=core.load_clip(graph, files["text_encoder"], "qwen_image"),
            vae=core.load_vae(graph, files["vae"]),
        )

    def draw(self, graph: Builder, parts: Parts, asked: Drawing) -> Link:
        """One sampler; both texts are encoded together with the picture."""
        texts = tuple(
            graph.node(
                "TextEncodeQwenImageEditPlus",
                clip=parts.clip,
                vae=parts.vae,
                image1=asked.image,
                prompt=text,
            ).out(0)
            for text in (asked.positive, asked.negative)
        )
        latent = graph.node("VAEEncode", pixels=asked.image, vae=parts.vae).out(0)
        model = _patched(graph, parts.model, asked.sampling)
        samples = core.sample(
            graph, model, (texts[0], texts[1]), latent, asked.sampling, asked.seed, asked.strength
        )
        return core.decode(graph, samples, parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """A Qwen-Image model with Qwen2.5-VL; its VAE is built as Wan's 2.1 VAE is."""
        expect(self, headers, "model", "qwen_image")
        expect(self, headers, "text_encoder", "qwen25_vl")
        expect(self, headers, "vae", "wan21_vae")
        expect_lora(self, headers, "lora", "transformer_blocks")


def _patched(graph: Builder, model: Link, sampling: Sampling) -> Link:
    shifted = graph.node("ModelSamplingAuraFlow", model=model, shift=sampling.shift).out(0)
    return graph.node("CFGNorm", model=shifted, strength=1.0).out(0)


QWEN_EDIT = QwenEdit()
