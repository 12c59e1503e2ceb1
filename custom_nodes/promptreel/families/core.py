"""Groups of core nodes that several families share. Knows ComfyUI's node classes by name only."""

from __future__ import annotations

from .values import Builder, Drawing, Link, Sampling, Shoot


def load_model(graph: Builder, name: str, weight_dtype: str) -> Link:
    """Add the loader of a diffusion model."""
    return graph.node("UNETLoader", unet_name=name, weight_dtype=weight_dtype).out(0)


def load_clip(graph: Builder, name: str, kind: str) -> Link:
    """Add the loader of one text encoder for a kind of model ("wan", "ltxv", ...)."""
    return graph.node("CLIPLoader", clip_name=name, type=kind, device="default").out(0)


def load_clips(graph: Builder, first: str, second: str, kind: str) -> Link:
    """Add the loader of two text encoders for a kind of model."""
    return graph.node(
        "DualCLIPLoader", clip_name1=first, clip_name2=second, type=kind, device="default"
    ).out(0)


def load_vae(graph: Builder, name: str) -> Link:
    """Add the loader of a VAE."""
    return graph.node("VAELoader", vae_name=name).out(0)


def load_lora(graph: Builder, model: Link, name: str) -> Link:
    """Add a LoRA of full strength to a model."""
    lora = graph.node("LoraLoaderModelOnly", model=model, lora_name=name, strength_model=1.0)
    return lora.out(0)


def encode(graph: Builder, clip: Link, text: str) -> Link:
    """Add the encoder of a text; its CONDITIONING."""
    return graph.node("CLIPTextEncode", text=text, clip=clip).out(0)


def encode_pair(graph: Builder, clip: Link, asked: Shoot | Drawing) -> tuple[Link, Link]:
    """Add the encoders of the positive and the negative text."""
    return encode(graph, clip, asked.positive), encode(graph, clip, asked.negative)


def look(graph: Builder, clip_vision: Link, image: Link, crop: str) -> Link:
    """Add the vision encoder of a picture; its CLIP_VISION_OUTPUT."""
    seen = graph.node("CLIPVisionEncode", clip_vision=clip_vision, image=image, crop=crop)
    return seen.out(0)


def shifted(graph: Builder, model: Link, shift: float | None) -> Link:
    """Add the shift of a flow model's noise schedule, where there is one."""
    if shift is None:
        return model
    return graph.node("ModelSamplingSD3", model=model, shift=shift).out(0)


def sample(
    graph: Builder,
    model: Link,
    conditioning: tuple[Link, Link],
    latent: Link,
    sampling: Sampling,
    seed: int,
    denoise: float = 1.0,
) -> Link:
    """Add a KSampler for a positive and a negative CONDITIONING; its LATENT."""
    return graph.node(
        "KSampler",
        model=model,
        positive=conditioning[0],
        negative=conditioning[1],
        latent_image=latent,
        seed=seed,
        steps=sampling.steps,
        cfg=sampling.cfg,
        sampler_name=sampling.sampler,
        scheduler=sampling.scheduler,
        denoise=denoise,
    ).out(0)


def sampler(graph: Builder, sampling: Sampling) -> Link:
    """Add a sampler by its name; its SAMPLER."""
    return graph.node("KSamplerSelect", sampler_name=sampling.sampler).out(0)


def schedule(graph: Builder, model: Link, sampling: Sampling) -> Link:
    """Add a noise schedule by its name; its SIGMAS."""
    return graph.node(
        "BasicScheduler",
        model=model,
        scheduler=sampling.scheduler,
        steps=sampling.steps,
        denoise=1.0,
    ).out(0)


def decode(graph: Builder, latent: Link, vae: Link) -> Link:
    """Add the decoder of a latent; its IMAGE."""
    return graph.node("VAEDecode", samples=latent, vae=vae).out(0)
