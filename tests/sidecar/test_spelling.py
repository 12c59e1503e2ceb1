"""Model files in subfolders: named as the server's own system spells them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.backends.spelling import plain, spelled
from sidecar.backends.stock import ask_models, ask_software
from sidecar.comfy.client import ComfyClient, new_session
from sidecar.manifest import bundled_folder, load_pipelines
from sidecar.pipelines import ModelFile
from tests.fake_comfy import FakeComfy


@pytest.fixture
def pipeline():
    """A pipeline with a model in a subfolder, written down on Windows or not."""

    def make(written: str):
        first = next(iter(load_pipelines([bundled_folder()]).values()))
        graph = {
            "1": {"class_type": "A", "inputs": {"lora_name": written, "text": "a/b", "n": 1}},
            "2": {"class_type": "B", "inputs": {"model": ["1", 0], "name": "c.safetensors"}},
        }
        models = (ModelFile("sub/b.safetensors", "loras"), ModelFile("c.safetensors", "vae"))
        return replace(first, graph=graph, models=models)

    return make


@pytest.mark.parametrize("written", ["sub/b.safetensors", "sub\\b.safetensors"])
@pytest.mark.parametrize("windows", [False, True])
def test_a_name_is_spelled_as_the_server_takes_it(pipeline, written, windows):
    before = pipeline(written)
    found = spelled(before, windows=windows)
    name = "sub\\b.safetensors" if windows else "sub/b.safetensors"
    assert found.graph["1"]["inputs"] == {"lora_name": name, "text": "a/b", "n": 1}
    assert found.graph["2"] == before.graph["2"]
    assert before.graph["1"]["inputs"]["lora_name"] == written  # ours stays as it was


async def test_a_windows_server_tells_that_it_is_one():
    async with FakeComfy() as fake, new_session() as session:
        client = ComfyClient(fake.url, session)
        assert not (await ask_software(client)).windows
        fake.system = "nt"
        assert (await ask_software(client)).windows
        fake.system = "win32"
        assert (await ask_software(client)).windows
        assert (await ask_models(client, ["loras"]))["loras"] == {"sub/b.safetensors"}
    assert plain("a\\b\\c") == "a/b/c"
