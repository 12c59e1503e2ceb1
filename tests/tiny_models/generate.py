"""Writes checkpoints of random weights that ComfyUI takes for the real families, only much smaller.

    python generate.py MANIFESTS OUT

MANIFESTS/<folder>/<name>.txt lists a checkpoint's tensors; OUT/<folder>/<name>.safetensors is made
of it. Runs in ComfyUI's own Python: torch, safetensors and sentencepiece. A manifest's lines:

    =folder/name            the checkpoint is another one's under a second name
    @key value              a row of the file's metadata
    [prefix.]               begins the names that follow
    128x64 a.{0,1}.weight   a shape ("scalar": none) and names of float16 tensors
    1x1:uint8 name          the same of another type

Knows files and shapes; must not know what a family does with them.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import math
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKENIZER = "spiece_model"  # a SentencePiece model inside of the text encoder's file
VOCABULARY = 384
CORPUS = (
    "the quick brown fox jumps over the lazy dog",
    "a lighthouse on a cliff, waves, slow push in at sunset",
    "the camera pans left and a bird flies away, cinematic light",
    "blurry, low quality, watermark, text, static",
    "0123456789 .,:;!?()'-",
)


@dataclass(frozen=True)
class Manifest:
    """One checkpoint: tensor name -> (type, shape), and metadata."""

    tensors: dict[str, tuple[str, tuple[int, ...]]]
    metadata: dict[str, str]


def read(text: str) -> Manifest:
    """Return what a manifest's text says."""
    made = Manifest({}, {})
    prefix = ""
    for line in text.splitlines():
        if line.startswith("["):
            prefix = line[1:-1]
        elif line.startswith("@"):
            key, _, value = line[1:].partition(" ")
            made.metadata[key] = value
        else:
            shape, _, names = line.partition(" ")
            made.tensors.update(dict.fromkeys(_names(prefix + names), _shape(shape)))
    return made


def _names(pattern: str) -> Iterator[str]:
    """Spell out a pattern: a.{0,1} gives a.0 and a.1."""
    parts = re.split(r"\{(.*?)\}", pattern)
    choices = [part.split(",") if odd % 2 else [part] for odd, part in enumerate(parts)]
    return map("".join, itertools.product(*choices))


def _shape(written: str) -> tuple[str, tuple[int, ...]]:
    sides, _, kind = written.partition(":")
    shape = () if sides == "scalar" else tuple(map(int, sides.split("x")))
    return kind or "float16", shape


def write(manifest: Manifest, name: str, path: Path) -> None:
    """Write the checkpoint; the same name gives the same bytes."""
    import torch  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
    from safetensors.torch import save_file  # noqa: PLC0415 # pyright: ignore[reportMissingImports]

    tensors: dict[str, Any] = {}
    for key, (kind, shape) in manifest.tensors.items():
        made = tokenizer() if key == TOKENIZER else weights(f"{name}/{key}", shape)
        tensors[key] = made.to(getattr(torch, kind)).contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=manifest.metadata or None)


def weights(name: str, shape: tuple[int, ...]) -> Any:
    """Return values that keep activations in range, so that pictures are neither flat nor NaN."""
    import torch  # noqa: PLC0415 # pyright: ignore[reportMissingImports]

    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "little")
    spread = _spread(name, shape)
    if isinstance(spread, float):
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * spread
    return torch.full(shape, float(spread))


def _spread(name: str, shape: tuple[int, ...]) -> float | int:
    """Return a tensor's deviation (float), or the value all of it has (int)."""
    last = name.rpartition(".")[2]
    if "per_channel_statistics" in name:
        return int(name.endswith("std-of-means"))
    if last in ("bias", "mix_factor", "vae_shift"):
        return 0
    if last == "alpha":
        return 4  # a LoRA's: its rank
    if last in ("gamma", "vae_scale") or (len(shape) < 2 and last in ("weight", "scale")):
        return 1
    if re.search(r"modulation|scale_shift_table", name):
        return 0.3
    if len(shape) < 2 or re.search(r"position_embedding|relative_attention_bias", name):
        return 0.02
    if re.search(r"shared\.|token_embedding|embed_tokens", name):
        return 1.0
    return 1 / math.sqrt(math.prod(shape[1:]))


def tokenizer() -> Any:
    """Return a SentencePiece model of a few sentences, as bytes in a tensor."""
    import sentencepiece  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
    import torch  # noqa: PLC0415 # pyright: ignore[reportMissingImports]

    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 50),
        model_writer=file,
        vocab_size=VOCABULARY,
        hard_vocab_limit=False,
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    return torch.tensor(list(file.getvalue()), dtype=torch.uint8)


def main(manifests: Path, out: Path) -> None:
    """Write all of them. A manifest that is another's becomes a link: the same bytes."""
    links: dict[Path, str] = {}
    for path in sorted(manifests.glob("*/*.txt")):
        name = path.relative_to(manifests).with_suffix("").as_posix()
        text = path.read_text(encoding="utf-8")
        if text.startswith("="):
            links[out / f"{name}.safetensors"] = text[1:].strip()
        else:
            write(read(text), name, out / f"{name}.safetensors")
    for path, other in links.items():
        os.link(out / f"{other}.safetensors", path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
