"""A ComfyUI without models: the loaders are there and say what is missing, size and folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.families.base import Model, Options

from tests.e2e.comfyui import Installation
from tests.e2e.comfyui_play import Refused, play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.model_graphs import image_to_video

ALL: tuple[Model, ...] = (*FAMILIES.values(), *KEYFRAMES.values())
LORA = "wan2.2_i2v_lightx2v_4steps_lora_v1_high_noise.safetensors"


@pytest.fixture(scope="module")
def empty(
    comfyui_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyUI]:
    """A server with the pack and no models."""
    server = ComfyUI(comfyui_installation, tmp_path_factory.mktemp("empty"))
    server.link_pack()
    save(server.input_dir / "land.png", landscape(320, 240))
    server.start()
    yield server
    server.stop()


def options(comfyui: ComfyUI, family: Model) -> dict[str, list[str]]:
    """What the loader's file widgets offer now."""
    groups = comfyui.get(f"/object_info/{family.node_id}")[family.node_id]["input"]
    specs = {**groups.get("required", {}), **groups.get("optional", {})}
    return {slot.role: specs[slot.role][1]["options"] for slot in family.slots}


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.id)
def test_widgets_tell_what_is_missing(empty: ComfyUI, family: Model):
    offered = options(empty, family)
    for slot in family.slots:
        first, *rest = offered[slot.role]
        assert first.startswith(f"missing: {slot.official[0].name} (")
        assert first.endswith(f"B) to models/{slot.folder}")
        assert rest == (["none"] if slot.optional else [])


async def test_every_missing_file_is_in_the_refusal(empty: ComfyUI):
    family = FAMILIES["wan2.2-i2v-14b"]
    widgets = {role: names[0] for role, names in options(empty, family).items()}
    with pytest.raises(Refused) as told:
        await play(empty, image_to_video(family.id, loads=widgets))
    (said,) = told.value.details  # once for the node, not once for each input
    assert "Model files are missing: " in said
    for slot in family.needed(Options()):
        assert f"{slot.official[0].name} (" in said
    assert said.count("Download them into ComfyUI, then press R and choose them.") == 1
    assert LORA not in said
    with pytest.raises(Refused) as told:
        await play(empty, image_to_video(family.id, loads={**widgets, "fast": True}))
    assert f"{LORA} (1.23 GB) to models/loras" in told.value.details[0]


async def test_official_name_that_is_not_there_is_refused_alike(empty: ComfyUI):
    with pytest.raises(Refused) as told:
        await play(empty, image_to_video("svd"))
    assert told.value.details == [
        (
            "A model file is missing: svd_xt.safetensors (9.56 GB) to models/checkpoints. "
            "Download it into ComfyUI, then press R and choose it."
        )
    ]


def test_files_are_offered_as_soon_as_they_are_there(empty: ComfyUI):
    place = empty.base / "models" / "loras" / "wan" / LORA
    place.parent.mkdir(parents=True)
    place.write_bytes((2).to_bytes(8, "little") + b"{}")
    names = options(empty, FAMILIES["wan2.2-i2v-14b"])["high_noise_lora"]
    assert [Path(names[0]), *names[1:]] == [Path("wan", LORA), "none"]
    (place.parents[1] / LORA).write_bytes(place.read_bytes())
    (place.parents[1] / "a").mkdir()
    (place.parents[1] / "a" / LORA).write_bytes(place.read_bytes())
    names = options(empty, FAMILIES["wan2.2-i2v-14b"])["high_noise_lora"]
    assert names[0] == LORA, "the one above the subfolders is preselected"
    assert {Path(name) for name in names[1:3]} == {Path("wan", LORA), Path("a", LORA)}
