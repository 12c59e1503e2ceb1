"""Wan 2.2 image to video, 14 B: two experts, one for high and one for low noise.

Source: the templates video_wan2_2_14B_i2v and video_wan2_2_14B_flf2v of ComfyUI's packages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import core, wan
from .base import UNSEEN, Family, Files, Kinds
from .errors import FamilyError
from .headers import Header
from .kinds import expect, expect_lora
from .limits import Limits
from .models import slot
from .values import Builder, Link, Options, Parts, Sampling, Shoot

_LAST = 10000  # KSamplerAdvanced: up to the end


class Wan22(Family):
    """Two diffusion models that take turns; `fast` adds the pair of 4-step LoRAs."""

    id = "wan2.2-i2v-14b"
    title = "Wan 2.2 14B"
    node_id = "PromptReelWan22Model"
    prompts = "wan"
    slots = (
        slot(
            "high_noise",
            "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors",
            "wan2.2_i2v_high_noise_14B_fp16.safetensors",
        ),
        slot(
            "low_noise",
            "wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors",
            "wan2.2_i2v_low_noise_14B_fp16.safetensors",
        ),
        wan.TEXT_ENCODER,
        wan.VAE_21,
        slot(
            "high_noise_lora",
            "wan2.2_i2v_lightx2v_4steps_lora_v1_high_noise.safetensors",
            optional=True,
        ),
        slot(
            "low_noise_lora",
            "wan2.2_i2v_lightx2v_4steps_lora_v1_low_noise.safetensors",
            optional=True,
        ),
    )
    speaks = ("en", "ru")
    switches = ("weight_dtype", "fast")
    takes_end = True

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Limits:  # noqa: ARG002
        """The template's 640 x 640, made for 480p and 720p; 81 frames at 16 fps."""
        return wan.limits((640, 640), takes_end=True, largest=(1280, 720))

    def sampling(self, files: Files, options: Options, end: bool = False) -> Sampling:  # noqa: ARG002
        """20 steps, or 4 without guidance with the LoRA pair."""
        if options.fast:
            return Sampling(4, 1.0, "euler", "simple", 5.0)
        return Sampling(20, 4.0 if end else 3.5, "euler", "simple", 8.0)

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:
        """Both experts, each with its LoRA when `fast`."""
        return Parts(
            model=self._expert(graph, files, options, "high_noise"),
            low=self._expert(graph, files, options, "low_noise"),
            clip=core.load_clip(graph, files["text_encoder"], "wan"),
            vae=core.load_vae(graph, files["vae"]),
        )

    def _expert(self, graph: Builder, files: Files, options: Options, role: str) -> Link:
        model = core.load_model(graph, files[role], options.weight_dtype)
        return core.load_lora(graph, model, files[f"{role}_lora"]) if options.fast else model

    def shoot(self, graph: Builder, parts: Parts, asked: Shoot) -> Link:
        """The high-noise expert takes the first half of the steps, the other one the rest."""
        positive, negative, latent = wan.conditioning(graph, parts, asked)
        half = max(asked.sampling.steps // 2, 1)
        texts = {"positive": positive, "negative": negative}
        first = _sample(graph, parts.model, texts, latent, asked, (0, half))
        second = _sample(graph, parts.low, texts, first, asked, (half, _LAST))
        return core.decode(graph, second, parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """Two different 14 B image-to-video experts, in their places, with the 2.1 VAE and UMT5."""
        for role in ("high_noise", "low_noise"):
            expect(self, headers, role, "wan22_i2v")
            expect_lora(self, headers, f"{role}_lora", "blocks")
        wan.check_common(self, headers)
        for pair in (("high_noise", "low_noise"), ("high_noise_lora", "low_noise_lora")):
            _check_places(headers, *pair)


def _sample(
    graph: Builder,
    model: Link,
    texts: Mapping[str, Link],
    latent: Link,
    asked: Shoot,
    steps: tuple[int, int],
) -> Link:
    """Add one expert's sampler for the steps from..to; the first one makes the noise."""
    sampling, first = asked.sampling, steps[0] == 0
    return graph.node(
        "KSamplerAdvanced",
        model=core.shifted(graph, model, sampling.shift),
        **texts,
        latent_image=latent,
        add_noise="enable" if first else "disable",
        noise_seed=asked.seed if first else 0,
        steps=sampling.steps,
        cfg=sampling.cfg,
        sampler_name=sampling.sampler,
        scheduler=sampling.scheduler,
        start_at_step=steps[0],
        end_at_step=steps[1],
        return_with_leftover_noise="enable" if first else "disable",
    ).out(0)


def _check_places(headers: Mapping[str, Header], high: str, low: str) -> None:
    """Refuse one file in both places, and names that say the other place."""
    first, second = headers.get(high), headers.get(low)
    if first is None or second is None:
        return
    if first.name == second.name:
        raise FamilyError(
            f"{first.name} is chosen for high noise and for low noise: "
            "choose the file with high_noise in its name for the one and low_noise for the other."
        )
    if _noise(first.name) == "low" and _noise(second.name) == "high":
        raise FamilyError(
            f"{first.name} is the low-noise file and {second.name} the high-noise one: swap them."
        )
    for header, place, wrong in ((first, "high", "low"), (second, "low", "high")):
        if _noise(header.name) == wrong:
            raise FamilyError(
                f"{header.name} is the {wrong}-noise file: choose the one with "
                f"{place}_noise in its name for {place} noise."
            )


def _noise(name: str) -> str | None:
    """Return the one of high and low that a file's name says, if just one."""
    base = re.split(r"[\\/]", name)[-1].lower()
    found = set(re.findall(r"(high|low)[ _.\-]?noise", base))
    return found.pop() if len(found) == 1 else None


WAN22 = Wan22()
