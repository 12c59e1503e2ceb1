"""Makes ComfyUI build small modules where sizes are constants or come from its own data files.

Changes what constructors are given: detection, key names, loaders, samplers and nodes stay the real
ones, but for one constant of one node. Runs in ComfyUI's own Python.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import functools
import math
import types

import nodes
from comfy import clip_model, supported_models
from comfy.ldm.flux.model import Flux
from comfy.ldm.hunyuan_video import vae_refiner
from comfy.ldm.modules.diffusionmodules import model
from comfy.ldm.qwen_image.model import QwenImageTransformer2DModel
from comfy.ldm.wan import vae2_2
from comfy.text_encoders import llama, qwen_vl, t5

ONE_LAYER = {"num_layers": 1, "d_ff": 64, "num_heads": 1, "d_kv": 64}
CLIP_WIDTH = 64
CHANNELS = 32
QWEN = {"hidden_size": 32, "num_hidden_layers": 4, "intermediate_size": 64}
QWEN_HEADS = {"num_attention_heads": 4, "num_key_value_heads": 4}
CLIP_TEXT = {"hidden_size": CLIP_WIDTH, "intermediate_size": 64}
CLIP_TEXT_DEPTH = {"num_attention_heads": 4, "num_hidden_layers": 3}
HUNYUAN_CHANNELS = [128, 256, 512, 1024, 1024]


def smaller(cls, change):
    """Wrap a constructor: `change(positional, named)` returns the named arguments to put in.

    A first positional argument that is a configuration is changed under the name "config".
    """
    build = cls.__init__

    @functools.wraps(build)
    def smaller_build(self, *given, **named):
        changed = dict(change(given, named))
        if "config" in changed:
            given = (changed.pop("config"), *given[1:])
        build(self, *given, **{**named, **changed})

    cls.__init__ = smaller_build


def configured(cls, extra):
    """Change the configuration that a constructor gets first by `extra(configuration)`."""
    smaller(cls, lambda given, _: {"config": {**given[0], **extra(given[0])}})


def t5_sizes(config):
    """Tell the T5s apart by their width; UMT5's and old T5's widths are fixed elsewhere."""
    width = config["d_model"]
    if width == 4096 and config["model_type"] == "umt5":
        return {**ONE_LAYER, "vocab_size": 384}
    if width == 4096:
        return {**ONE_LAYER, "d_model": 64}
    if width == 1024 and config["d_ff"] == 65536:
        return ONE_LAYER
    return {"num_layers": 1, "d_ff": 64} if width == 1472 else {}


def vision_sizes(config):
    """CLIP-H and SigLIP: fewer layers, the width that other modules expect."""
    known = config.get("hidden_size") in (1280, 1152)
    return {"num_hidden_layers": 2, "intermediate_size": 64} if known else {}


def hunyuan_vae(_, named):
    wide = named.get("block_out_channels") == HUNYUAN_CHANNELS
    return {"block_out_channels": [32, 32, 64, 64, 64]} if wide else {}


def picture_vae(_, named):
    return {"ch": CHANNELS} if named.get("ch") == 128 else {}


def shrink_text_and_vision():
    """The encoders of words and pictures."""
    configured(t5.T5, t5_sizes)
    for cls in (clip_model.CLIPTextModel, clip_model.CLIPTextModel_):
        configured(cls, lambda _: {**CLIP_TEXT, **CLIP_TEXT_DEPTH})
    configured(clip_model.CLIPVision, vision_sizes)
    configured(llama.Qwen25_7BVLI, lambda _: {**QWEN, **QWEN_HEADS})
    tower = {"hidden_size": 64, "intermediate_size": 64, "num_heads": 2, "num_layers": 2}
    smaller(qwen_vl.Qwen2VLVisionTransformer, lambda *_: tower)


def shrink_vaes():
    """The autoencoders whose widths are constants."""
    smaller(vae2_2.WanVAE, lambda *_: {"dim": 16, "dec_dim": 16})
    for cls in (vae_refiner.Encoder, vae_refiner.Decoder):
        smaller(cls, hunyuan_vae)
    for cls in (model.Encoder, model.Decoder):
        smaller(cls, picture_vae)


def shrink_diffusion_models():
    """The diffusion models whose widths are constants."""
    smaller(Flux, lambda _, named: {"num_heads": named["hidden_size"] // sum(named["axes_dim"])})
    joint = {"num_attention_heads": 1, "joint_attention_dim": QWEN["hidden_size"]}
    smaller(QwenImageTransformer2DModel, lambda *_: joint)
    unet(supported_models.SD15, context_dim=CLIP_WIDTH)
    adm = {"adm_in_channels": CLIP_WIDTH + 6 * 256}
    unet(supported_models.SDXL, context_dim=2 * CLIP_WIDTH, **adm)
    unet(supported_models.SVD_img2vid)
    for cls in (supported_models.SDXL, supported_models.SVD_img2vid):
        cls.unet_extra_config = {**cls.unet_extra_config, "num_head_channels": 16}


def unet(cls, **more):
    """Expect another U-Net configuration of a family."""
    cls.unet_config = {**cls.unet_config, "model_channels": CHANNELS, **more}


def shrink_the_edit_models_picture():
    """Qwen's node brings every picture to a megapixel, half a minute on a CPU; here a quarter of
    each side: the node's square roots are what its sizes are made of.
    """
    edit = nodes.NODE_CLASS_MAPPINGS["TextEncodeQwenImageEditPlus"]
    smaller_roots = types.SimpleNamespace(sqrt=lambda value: math.sqrt(value) / 4)
    edit.execute.__func__.__globals__["math"] = smaller_roots


def everything():
    """Shrink all of them."""
    shrink_text_and_vision()
    shrink_vaes()
    shrink_diffusion_models()
    shrink_the_edit_models_picture()
