"""The model nodes while they run: progress and Cancel work inside, and models are shared."""

from __future__ import annotations

from tests.e2e.comfyui_play import interrupt, play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.model_graphs import Told, frames, image_to_video, ran, telling
from tests.e2e.pack_graphs import node


async def test_progress_of_the_sampler_is_shown_on_the_node(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    done = await play(comfyui, image_to_video("wan2.2-ti2v-5b", steps=4, seed=11))
    samplers = {data["node"] for data in done.data("progress") if data["max"] == 4}
    assert len(samplers) == 1
    values = [data["value"] for data in done.data("progress") if data["max"] == 4]
    assert values == sorted(values)
    assert values[-1] == 4
    shown = {data["display_node"] for data in done.data("executing") if data["node"] in samplers}
    assert shown == {"4"}


async def test_cancel_stops_the_sampler_inside_of_the_node(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(320, 240))

    def at_the_third_step(message):
        data = message["data"]
        if message["type"] == "progress" and (data["value"], data["max"]) == (3, 200):
            return interrupt(comfyui, data["prompt_id"])
        return None

    graph = image_to_video("wan2.2-ti2v-5b", steps=200, seed=12)
    graph["5"]["inputs"]["filename_prefix"] = "cancelled/model"
    done = await play(comfyui, graph, on_message=at_the_third_step)
    assert done.status == "error"
    (told,) = done.data("execution_interrupted")
    assert (told["node_id"], told["node_type"]) == ("4", "PromptReelImageToVideo")
    assert max(data["value"] for data in done.data("progress")) < 100
    assert not list((comfyui.output_dir / "cancelled").glob("model*"))
    shown, _ = frames(comfyui, await play(comfyui, image_to_video("wan2.2-ti2v-5b", seed=12)))
    assert len(shown) == 13


async def test_a_changed_weight_type_reloads_only_what_it_changes(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    graph = telling(image_to_video("wan2.1-i2v", seed=13), ["4", 0])
    await play(comfyui, graph)
    graph["3"]["inputs"]["weight_dtype"] = "fp8_e4m3fn"
    done = await play(comfyui, graph)
    assert done.status == "success", done.error
    told = Told.of(done)
    again = {told.nodes[name]["class_type"] for name in ran(done) if name.startswith("3.")}
    assert again == {"UNETLoader", "PromptReelModelBundle"}


async def test_two_videos_share_one_loader(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    graph = image_to_video("wan2.2-ti2v-5b", seed=14)
    graph["6"] = {**graph["4"], "inputs": {**graph["4"]["inputs"], "seed": 15}}
    graph["7"] = node("PromptReelResult", video=["6", 0], filename_prefix="models/two")
    graph["3"]["inputs"]["weight_dtype"] = "fp8_e5m2"  # so that no earlier test has loaded it
    done = await play(comfyui, graph)
    assert done.status == "success", done.error
    loads = [data["node"] for data in done.data("executing") if (data["node"] or "")[:2] == "3."]
    assert len(loads) == len(set(loads)) == 4


async def test_only_the_first_picture_of_a_batch_is_used(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    graph = image_to_video("wan2.2-ti2v-5b", seed=16)
    alone, _ = frames(comfyui, await play(comfyui, graph))
    graph["6"] = node("ImageInvert", image=["1", 0])
    graph["7"] = node("ImageBatch", image1=["1", 0], image2=["6", 0])
    graph["4"]["inputs"]["image"] = ["7", 0]
    batch, _ = frames(comfyui, await play(comfyui, graph))
    assert (batch == alone).all()


async def test_alpha_of_a_picture_is_left_out(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    graph = image_to_video("wan2.2-i2v-14b", seed=17)
    graph["4"]["inputs"]["end_image"] = ["1", 0]
    opaque, _ = frames(comfyui, await play(comfyui, graph))
    graph["6"] = node("SolidMask", value=0.5, width=320, height=240)
    graph["7"] = node("JoinImageWithAlpha", image=["1", 0], alpha=["6", 0])
    graph["4"]["inputs"] |= {"image": ["7", 0], "end_image": ["7", 0]}
    clear, _ = frames(comfyui, await play(comfyui, graph))
    assert (clear == opaque).all()
