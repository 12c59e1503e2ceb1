"""What the Wan families share: text encoder, VAEs, frame rule, and the 14 B conditioning nodes."""

from __future__ import annotations

from collections.abc import Mapping

from . import core
from .base import Family
from .headers import Header
from .kinds import expect
from .limits import Limits
from .models import slot
from .values import Builder, Link, Parts, Shoot

TEXT_ENCODER = slot(
    "text_encoder", "umt5_xxl_fp8_e4m3fn_scaled.safetensors", "umt5_xxl_fp16.safetensors"
)
VAE_21 = slot("vae", "wan_2.1_vae.safetensors")


def limits(
    extent: tuple[int, int], takes_end: bool, largest: tuple[int, int] | None = None
) -> Limits:
    """Return the 14 B models' limits: 4n+1 frames up to 81 (5 s) at 16 fps, sides of 16."""
    return Limits(
        side_step=16,
        extent=extent,
        largest=largest,
        frame_step=4,
        frame_offset=1,
        min_frames=5,
        max_frames=81,
        fps=16.0,
        takes_end=takes_end,
    )


def conditioning(graph: Builder, parts: Parts, asked: Shoot) -> tuple[Link, Link, Link]:
    """Add text encoders and WanImageToVideo (or first-last-frame): positive, negative, latent."""
    node = graph.node(
        "WanImageToVideo" if asked.end is None else "WanFirstLastFrameToVideo",
        positive=core.encode(graph, parts.clip, asked.positive),
        negative=core.encode(graph, parts.clip, asked.negative),
        vae=parts.vae,
        width=asked.width,
        height=asked.height,
        length=asked.frames,
        batch_size=1,
        **_pictures(graph, parts, asked),
    )
    return node.out(0), node.out(1), node.out(2)


def _pictures(graph: Builder, parts: Parts, asked: Shoot) -> dict[str, Link]:
    """Return the picture inputs, with what CLIP vision sees in them where the model wants it."""
    pictures = {"start_image": asked.start}
    if asked.end is not None:
        pictures["end_image"] = asked.end
    if parts.clip_vision is None:
        return pictures
    seen = {
        key: core.look(graph, parts.clip_vision, link, "none") for key, link in pictures.items()
    }
    if asked.end is None:
        return {**pictures, "clip_vision_output": seen["start_image"]}
    return {**pictures, **{f"clip_vision_{key}": link for key, link in seen.items()}}


def check_common(family: Family, headers: Mapping[str, Header]) -> None:
    """Refuse what is surely no 2.1 VAE or no UMT5 text encoder."""
    expect(family, headers, "vae", "wan21_vae")
    expect(family, headers, "text_encoder", "umt5")
