"""Pictures of every kind through the Request and the other nodes of a real ComfyUI."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.e2e.comfyui_play import Refused, play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.pack_graphs import animate, camera_motion, files, node


def _first_frame(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def _image(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _rgba(size: tuple[int, int]) -> Image.Image:
    """Red on the left, see-through on the right."""
    picture = Image.new("RGBA", size, (200, 30, 30, 255))
    picture.paste((0, 0, 0, 0), (size[0] // 2, 0, *size))
    return picture


def _sixteen_bits() -> Image.Image:
    return Image.fromarray(np.full((64, 96), 40000, np.uint16))


def _turned() -> tuple[Image.Image, Image.Exif]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return Image.fromarray(landscape(96, 64)), exif


async def _make(comfyui: ComfyUI, name: str, **request) -> dict[str, Path]:
    graph = camera_motion(image=name, text="static", seconds=0.5, **request)
    return files(comfyui, await play(comfyui, graph))


async def test_picture_with_a_cyrillic_name_in_a_subfolder(comfyui: ComfyUI):
    (comfyui.input_dir / "promptreel").mkdir(exist_ok=True)
    save(comfyui.input_dir / "promptreel" / "Закат над морем №1.png", landscape(320, 240))
    made = await _make(comfyui, "promptreel/Закат над морем №1.png", aspect="source")
    assert _first_frame(made["video"]).shape == (480, 640, 3)
    made = await _make(comfyui, "promptreel/Закат над морем №1.png [input]", aspect="1:1")
    assert _first_frame(made["video"]).shape == (480, 480, 3)


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (1, 1, (480, 480)),
        (3, 7, (1120, 480)),
        (30000, 10, (480, 1440)),
        (6000, 4000, (480, 720)),
    ],
)
async def test_tiny_thin_and_huge_pictures(comfyui: ComfyUI, width, height, shape):
    Image.new("RGB", (width, height), (90, 120, 60)).save(comfyui.input_dir / "size.png")
    made = await _make(comfyui, "size.png", aspect="source")
    frame = _first_frame(made["video"])
    assert frame.shape[:2] == shape
    assert np.abs(frame.reshape(-1, 3).mean(0) - (90, 120, 60)).max() < 6


async def test_picture_turned_by_exif_stands_upright(comfyui: ComfyUI):
    picture, exif = _turned()
    picture.save(comfyui.input_dir / "turned.jpg", exif=exif)
    made = await _make(comfyui, "turned.jpg", aspect="source")
    assert _first_frame(made["video"]).shape == (720, 480, 3)


@pytest.mark.parametrize(
    ("name", "picture", "colour"),
    [
        ("grey16.png", _sixteen_bits(), (156, 156, 156)),
        ("cmyk.jpg", Image.new("CMYK", (96, 64), (0, 255, 255, 0)), (255, 0, 0)),
        ("palette.gif", Image.new("RGB", (96, 64), (0, 0, 255)).convert("P"), (0, 0, 255)),
        ("grey.png", Image.new("L", (96, 64), 77), (77, 77, 77)),
    ],
)
async def test_every_kind_of_pixel(comfyui: ComfyUI, name: str, picture: Image.Image, colour):
    picture.save(comfyui.input_dir / name)
    made = await _make(comfyui, name)
    assert np.abs(_first_frame(made["video"]).reshape(-1, 3).mean(0) - colour).max() < 12


async def test_see_through_parts_are_white(comfyui: ComfyUI):
    _rgba((96, 64)).save(comfyui.input_dir / "rgba.png")
    frame = _first_frame((await _make(comfyui, "rgba.png", aspect="source"))["video"])
    assert frame[240, 100].tolist() == pytest.approx([200, 30, 30], abs=8)
    assert frame[240, 620].min() > 247


@pytest.mark.parametrize("joined", [True, False])
async def test_masks_and_four_channels_are_laid_over_white(comfyui: ComfyUI, joined: bool):
    _rgba((320, 240)).save(comfyui.input_dir / "rgba.png")
    graph = animate(["3", 0], "static")
    graph["1"] = node("LoadImage", image="rgba.png")
    still = {"look": "none", "framing": "whole", "width": 320, "height": 240, "scene": ["2", 0]}
    if joined:
        graph["7"] = node("JoinImageWithAlpha", image=["1", 0], alpha=["1", 1])
        graph["3"] = node("PromptReelStill", image=["7", 0], **still)
    else:
        graph["3"] = node("PromptReelStill", image=["1", 0], mask=["1", 1], **still)
    frame = _first_frame(files(comfyui, await play(comfyui, graph))["video"])
    assert frame[120, 40].tolist() == pytest.approx([200, 30, 30], abs=8)
    assert frame[120, 280].min() > 247


async def test_batch_gives_a_still_each_and_a_video_of_the_first(comfyui: ComfyUI):
    for name, colour in (("a.png", (250, 20, 20)), ("b.png", (20, 20, 250))):
        Image.new("RGB", (320, 240), colour).save(comfyui.input_dir / name)
    graph = animate(["3", 0], "static")
    graph["1"] = node("LoadImage", image="a.png")
    graph["7"] = node("LoadImage", image="b.png")
    graph["8"] = node("ImageBatch", image1=["1", 0], image2=["7", 0])
    still = {"look": "black_and_white", "framing": "fill", "width": 100, "height": 100}
    graph["3"] = node("PromptReelStill", image=["8", 0], scene=["2", 0], **still)
    graph["6"] = node("SaveImage", images=["3", 0], filename_prefix="stills/s")
    graph["9"] = node("SaveImage", images=["4", 1], filename_prefix="stills/first")
    done = await play(comfyui, graph)
    assert done.outputs["4"]["text"]
    assert [data["value"] for data in done.data("progress") if data["node"] == "3"] == [1, 2]
    stills = [comfyui.output_dir / "stills" / i["filename"] for i in done.outputs["6"]["images"]]
    made = [_image(path) for path in stills]
    assert [picture.shape for picture in made] == [(100, 100, 3)] * 2
    first, second = (picture[50, 50] for picture in made)
    assert np.ptp(first) < 3
    assert abs(int(first[0]) - int(second[0])) > 10
    frame = _first_frame(files(comfyui, done)["video"])
    assert np.abs(frame[120, 160].astype(int) - first).max() < 8


@pytest.mark.parametrize(
    "name", ["absent.png", "../../etc/passwd", "/etc/passwd", "", "promptreel"]
)
async def test_picture_that_is_not_there_is_refused_before_anything_runs(comfyui, name: str):
    with pytest.raises(Refused) as refused:
        await play(comfyui, camera_motion(image=name))
    (said,) = refused.value.details
    assert "There is no picture" in said
    assert "upload it or choose one" in said


async def test_file_that_is_no_picture_becomes_one_clear_sentence(comfyui: ComfyUI):
    (comfyui.input_dir / "paper.png").write_bytes(b"%PDF-1.7 and so on")
    done = await play(comfyui, camera_motion(image="paper.png"))
    assert done.status == "error"
    assert done.error.startswith("This is a PDF document, not a picture")
