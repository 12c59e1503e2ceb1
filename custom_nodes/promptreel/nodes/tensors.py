"""The border between ComfyUI's tensors and the engine's arrays.

ComfyUI: IMAGE is float32 (batch, height, width, channels) in 0..1, MASK float32 (batch, height,
width). Engine: uint8 (height, width, 3). Must not know nodes.

Numpy does the arithmetic, some rows at a time: for a picture of 24 megapixels that is about ten
times faster than the same in torch, whose temporary tensors are as large as the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..engine.errors import PictureError
from ..engine.values import Depth, Picture

Floats = npt.NDArray[np.float32]
ROWS = 64  # small enough for the processor's cache


def pictures(image: Tensor, mask: Tensor | None = None) -> Iterator[Picture]:
    """Yield each picture of a batch as the engine wants it, one at a time.

    A fourth channel is alpha, and a mask (1: see-through, as Load Image gives it) is taken out of
    it; what is see-through becomes white. A mask of one picture serves the whole batch, one of
    another size is scaled. Raises PictureError for an empty batch.
    """
    if image.ndim != 4 or not image.numel():
        raise PictureError("The IMAGE is empty: connect a node that gives a picture.")
    for index in range(image.shape[0]):
        pixels = _floats(image[index])
        clear = None if mask is None else _clear(mask, index, pixels.shape[0], pixels.shape[1])
        yield _picture(pixels, clear)


def first_picture(image: Tensor) -> Picture:
    """Return the first picture of a batch."""
    return next(pictures(image[:1]))


def image_of(made: Iterable[Picture], count: int) -> Tensor:
    """Return `count` pictures of one size as an IMAGE; fills it one by one, without a copy."""
    rest = iter(made)
    first = next(rest)
    image = torch.empty((count, *first.shape), dtype=torch.float32)
    for place, picture in zip(image.numpy(), chain([first], rest), strict=True):
        np.divide(picture, np.float32(255), out=place, dtype=np.float32)
    return image


def depth_of(image: Tensor) -> Depth:
    """Return the first picture of an IMAGE (or MASK) as a depth map: white is near."""
    plane = np.clip(np.nan_to_num(_floats(image[0])), 0, 1)
    grey = plane[..., :3].mean(-1) if plane.ndim == 3 else plane
    return np.ascontiguousarray(grey, np.float32)


def _floats(tensor: Tensor) -> Floats:
    return tensor.detach().to("cpu", torch.float32).numpy()


def _clear(mask: Tensor, index: int, height: int, width: int) -> Floats:
    """Return how see-through one picture is, (height, width, 1)."""
    planes = mask if mask.ndim == 3 else mask[None]
    plane = planes[min(index, planes.shape[0] - 1)].detach().to("cpu", torch.float32)
    if plane.shape != (height, width):
        size = (height, width)
        plane = torch.nn.functional.interpolate(plane[None, None], size, mode="bilinear")[0, 0]
    return _unit(plane.numpy())[..., None]


def _picture(pixels: Floats, clear: Floats | None) -> Picture:
    height, width, _ = pixels.shape
    made = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, ROWS):
        rows = slice(top, top + ROWS)
        made[rows] = _bytes(_over_white(pixels[rows], None if clear is None else clear[rows]))
    return made


def _over_white(pixels: Floats, clear: Floats | None) -> Floats:
    """Return RGB, or grey in one channel, of any range where nothing is see-through."""
    channels = pixels.shape[-1]
    colours = pixels[..., :3] if channels >= 3 else pixels[..., :1]
    if channels in (2, 4):
        alpha = _unit(pixels[..., -1:])
        clear = 1 - alpha if clear is None else 1 - alpha * (1 - clear)
    return colours if clear is None else _unit(colours) * (1 - clear) + clear


def _bytes(colours: Floats) -> Picture:
    """Round 0..1 to 0..255; what is not a number becomes black."""
    scaled = colours * np.float32(255) + np.float32(0.5)
    return np.fmin(np.fmax(scaled, 0, out=scaled), 255, out=scaled).astype(np.uint8)


def _unit(values: Floats) -> Floats:
    return np.fmin(np.fmax(values, np.float32(0)), np.float32(1))
