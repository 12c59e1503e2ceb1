"""LTX-Video 0.9.x image to video: the fastest family, with long descriptive prompts.

Source: the template ltxv_image_to_video of ComfyUI's template package; the most frames (257) and
pixels are the model card's. Steps and guidance of distilled files: the makers' own configuration,
configs/ltxv-2b-0.9.6-distilled.yaml of Lightricks/LTX-Video.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import core
from .base import UNSEEN, Family, Files, Kinds
from .headers import Header
from .kinds import expect
from .limits import Limits
from .models import slot
from .values import Builder, Link, Options, Parts, Sampling, Shoot

_BASE_SHIFT = 0.95
_TERMINAL = 0.1
_PICTURE_STRENGTH = 0.15  # the template's: how hard the first frame is held


class LtxVideo(Family):
    """One checkpoint with its VAE, and T5-XXL. Its noise schedule is a node of its own."""

    id = "ltx-video"
    title = "LTX-Video"
    node_id = "PromptReelLTXVModel"
    prompts = "ltx"
    slots = (
        slot(
            "checkpoint",
            "ltx-video-2b-v0.9.5.safetensors",
            "ltxv-2b-0.9.6-dev-04-25.safetensors",
        ),
        slot("text_encoder", "t5xxl_fp16.safetensors", "t5xxl_fp8_e4m3fn_scaled.safetensors"),
    )
    switches = ()

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Limits:  # noqa: ARG002
        """8n+1 frames up to 257 at 24 fps, sides of 32; the card says below 720 x 1280."""
        return Limits(
            side_step=32,
            extent=(768, 512),
            largest=(1280, 720),
            frame_step=8,
            frame_offset=1,
            min_frames=9,
            max_frames=257,
            fps=24.0,
        )

    def sampling(self, files: Files, options: Options, end: bool = False) -> Sampling:  # noqa: ARG002
        """The template's values, or 8 steps without guidance for a distilled file.

        `shift` is the most that its schedule shifts.
        """
        if "distilled" in files.get("checkpoint", "").lower():
            return Sampling(8, 1.0, "euler", "", 2.05)
        return Sampling(30, 3.0, "euler", "", 2.05)

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:  # noqa: ARG002
        """Two loaders; the checkpoint's own text encoder is none."""
        loaded = graph.node("CheckpointLoaderSimple", ckpt_name=files["checkpoint"])
        clip = core.load_clip(graph, files["text_encoder"], "ltxv")
        return Parts(model=loaded.out(0), clip=clip, vae=loaded.out(2))

    def shoot(self, graph: Builder, parts: Parts, asked: Shoot) -> Link:
        """LTXVImgToVideo, conditioned on the frame rate, through SamplerCustom."""
        positive, negative = core.encode_pair(graph, parts.clip, asked)
        started = graph.node(
            "LTXVImgToVideo",
            positive=positive,
            negative=negative,
            vae=parts.vae,
            image=asked.start,
            width=asked.width,
            height=asked.height,
            length=asked.frames,
            batch_size=1,
            strength=_PICTURE_STRENGTH,
        )
        rated = graph.node(
            "LTXVConditioning",
            positive=started.out(0),
            negative=started.out(1),
            frame_rate=_told_rate(asked.fps),
        )
        samples = graph.node(
            "SamplerCustom",
            model=parts.model,
            positive=rated.out(0),
            negative=rated.out(1),
            sampler=core.sampler(graph, asked.sampling),
            sigmas=_sigmas(graph, parts, asked, started.out(2)),
            latent_image=started.out(2),
            add_noise=True,
            noise_seed=asked.seed,
            cfg=asked.sampling.cfg,
        )
        return core.decode(graph, samples.out(0), parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """An LTX-Video checkpoint with T5-XXL 1.1."""
        expect(self, headers, "checkpoint", "ltxv")
        expect(self, headers, "text_encoder", "t5xxl")


def _told_rate(fps: float) -> float:
    """Return the rate the model is told: the template tells 25 for a video played at 24."""
    return 25.0 if fps == 24.0 else fps


def _sigmas(graph: Builder, parts: Parts, asked: Shoot, latent: Link) -> Link:
    """Add the model's own schedule, or another one by its name, which the shift changes too."""
    sampling = asked.sampling
    if sampling.scheduler:
        model = graph.node(
            "ModelSamplingLTXV",
            model=parts.model,
            latent=latent,
            max_shift=sampling.shift,
            base_shift=_BASE_SHIFT,
        )
        return core.schedule(graph, model.out(0), sampling)
    return graph.node(
        "LTXVScheduler",
        steps=sampling.steps,
        max_shift=sampling.shift,
        base_shift=_BASE_SHIFT,
        stretch=True,
        terminal=_TERMINAL,
        latent=latent,
    ).out(0)


LTXV = LtxVideo()
