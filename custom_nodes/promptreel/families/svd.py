"""Stable Video Diffusion, 14 and 25 frames (XT): a picture starts to move; it takes no words.

Source: the templates image_to_video and txt_to_image_to_video of ComfyUI's template packages.
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

_MOTION = 127  # motion bucket, of 1..255: the template's middle
_TRAINED_FPS = 6  # what the model is told; the template plays the frames at 10
_FIRST_FRAME_CFG = 1.0  # guidance rises from this to the sampler's over the clip


class StableVideo(Family):
    """One checkpoint that holds everything."""

    id = "svd"
    title = "SVD"
    node_id = "PromptReelSVDModel"
    prompts = "svd"
    slots = (slot("checkpoint", "svd_xt.safetensors", "svd.safetensors"),)
    speaks = ()
    switches = ()

    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Limits:  # noqa: ARG002
        """Any frame count up to 25 (XT) or 14, played at 10 fps; sides of 8."""
        name = files.get("checkpoint", "xt").lower()
        return Limits(
            side_step=8,
            extent=(1024, 576),
            frame_step=1,
            frame_offset=0,
            min_frames=2,
            max_frames=25 if "xt" in name else 14,
            fps=10.0,
        )

    def sampling(self, files: Files, options: Options, end: bool = False) -> Sampling:  # noqa: ARG002
        """The template's values."""
        return Sampling(20, 2.5, "euler", "karras")

    def load(self, graph: Builder, files: Files, options: Options) -> Parts:  # noqa: ARG002
        """One loader."""
        loaded = graph.node("ImageOnlyCheckpointLoader", ckpt_name=files["checkpoint"])
        return Parts(model=loaded.out(0), clip_vision=loaded.out(1), vae=loaded.out(2))

    def shoot(self, graph: Builder, parts: Parts, asked: Shoot) -> Link:
        """SVD_img2vid_Conditioning through one sampler; the words are not used."""
        started = graph.node(
            "SVD_img2vid_Conditioning",
            clip_vision=parts.clip_vision,
            init_image=asked.start,
            vae=parts.vae,
            width=asked.width,
            height=asked.height,
            video_frames=asked.frames,
            motion_bucket_id=_MOTION,
            fps=_TRAINED_FPS,
            augmentation_level=0.0,
        )
        model = graph.node("VideoLinearCFGGuidance", model=parts.model, min_cfg=_FIRST_FRAME_CFG)
        pair = started.out(0), started.out(1)
        samples = core.sample(graph, model.out(0), pair, started.out(2), asked.sampling, asked.seed)
        return core.decode(graph, samples, parts.vae)

    def check(self, headers: Mapping[str, Header]) -> None:
        """An SVD checkpoint, not one of an image model."""
        expect(self, headers, "checkpoint", "svd")


SVD = StableVideo()
