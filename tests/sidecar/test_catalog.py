"""What a ComfyUI can run: chosen, refused with the list, asked again before anything is missing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from sidecar.backends.catalog import ServerCatalog
from sidecar.backends.stock import Inventory, lacks
from sidecar.comfy.client import new_session
from sidecar.errors import BadRequest, ServerFailure
from sidecar.manifest import bundled_folder, load_pipelines, read_pipeline

PIPELINES = load_pipelines([bundled_folder(), Path(__file__).parents[1] / "data" / "pipelines"])
CORE = PIPELINES["core-nodes"]
BETTER = read_pipeline(
    "better",
    {
        "rank": 10,
        "mapping": {"image": [["1", "image"]], "text": []},
        "outputs": {"video": "4"},
        "models": [{"name": "sub/b.safetensors", "folder": "loras"}],
    },
    dict(CORE.graph),
)


@pytest.fixture
def now():
    """A clock to turn by hand."""
    return [1000.0]


@pytest.fixture
async def catalog(now):
    async with new_session() as session:
        pipelines = {**PIPELINES, "better": BETTER}
        yield ServerCatalog(session, pipelines, clock=lambda: now[0], answer_s=2.0)


def asked(fake, path) -> int:
    return sum(path == seen for _, seen, _ in fake.requests)


async def test_the_best_that_runs_there_is_chosen(fake, catalog):
    assert (await catalog.choose(fake.url, None)).name == "better"


@pytest.mark.parametrize("spelling", ["sub/b.safetensors", "sub\\b.safetensors"])
async def test_a_windows_spelling_is_the_same_model(fake, catalog, spelling):
    fake.models["loras"] = [spelling]
    assert (await catalog.choose(fake.url, None)).name == "better"


async def test_where_the_best_lacks_something_the_next_is_chosen(fake, catalog):
    fake.models["loras"] = []
    assert (await catalog.choose(fake.url, None)).name == "camera-motion"


async def test_rank_zero_is_only_chosen_by_name(fake, catalog):
    assert (await catalog.choose(fake.url, "core-nodes")).name == "core-nodes"
    catalog.forget(fake.url)
    del fake.nodes["PromptReelResult"]
    fake.models.clear()
    with pytest.raises(BadRequest, match=r"'camera-motion'.*node PromptReelResult"):
        await catalog.choose(fake.url, None)


async def test_what_is_missing_is_listed_with_folders(fake, catalog):
    with pytest.raises(BadRequest) as caught:
        await catalog.choose(fake.url, "needs-more")
    assert caught.value.code == "missing_requirements"
    assert caught.value.error == (
        "This ComfyUI can't run the pipeline 'needs-more', it lacks: node NodeOfNobody, node "
        "AlsoNotThere, model sub/nowhere.safetensors in models/diffusion_models, model "
        "neither.safetensors in models/vae."
    )


async def test_a_comfyui_that_is_too_old_is_told(fake, catalog):
    fake.version = "0.3.40"
    with pytest.raises(BadRequest, match=r"needs ComfyUI 0\.3\.64 or newer \(it is 0\.3\.40\)"):
        await catalog.choose(fake.url, "camera-motion")
    fake.version = "0.10.0"
    catalog.forget(fake.url)
    assert (await catalog.choose(fake.url, "camera-motion")).name == "camera-motion"


async def test_an_unknown_name_is_refused_before_anything_is_asked(fake, catalog):
    with pytest.raises(BadRequest, match="known are camera-motion"):
        await catalog.choose(fake.url, "nope")
    assert fake.requests == []


async def test_what_is_known_is_not_asked_again(fake, catalog, now):
    for _ in range(3):
        await catalog.choose(fake.url, "camera-motion")
    assert asked(fake, "/object_info") == 1
    now[0] += 301
    await catalog.choose(fake.url, "camera-motion")
    assert asked(fake, "/object_info") == 2


async def test_before_something_is_called_missing_the_server_is_asked_anew(fake, catalog, now):
    fake.models["loras"] = []
    with pytest.raises(BadRequest):
        await catalog.choose(fake.url, "better")
    fake.models["loras"] = ["sub/b.safetensors"]
    now[0] += 3
    assert (await catalog.choose(fake.url, "better")).name == "better"


async def test_a_model_that_is_new_counts_soon_where_the_best_is_looked_for(fake, catalog, now):
    fake.models["loras"] = []
    assert (await catalog.choose(fake.url, None)).name == "camera-motion"
    fake.models["loras"] = ["sub/b.safetensors"]
    now[0] += 11
    assert (await catalog.choose(fake.url, None)).name == "better"
    assert asked(fake, "/object_info") == 1


async def test_each_folder_is_asked_once_and_all_at_a_time(fake):
    names = [f"folder_{number}" for number in range(10)]
    many = {name: needing([("a.safetensors", name), ("b.safetensors", "vae")]) for name in names}
    fake.models = {name: ["a.safetensors"] for name in names} | {"vae": ["b.safetensors"]}
    fake.faults.slow = {f"/models/{name}": 0.2 for name in (*names, "vae")}
    async with new_session() as session:
        catalog = ServerCatalog(session, many)
        begun = time.perf_counter()
        assert (await catalog.choose(fake.url, "folder_7")) is many["folder_7"]
        await asyncio.gather(*(catalog.choose(fake.url, name) for name in names))
        assert time.perf_counter() - begun < 1.5  # one after the other: 2.2 s
    assert [asked(fake, f"/models/{name}") for name in (*names, "vae")] == [1] * 11


@pytest.mark.parametrize(
    ("there", "counts"),
    [
        ("a.safetensors", True),
        ("sub/a.safetensors", False),  # the graph names it without the subfolder
        ("A.safetensors", False),
        ("xa.safetensors", False),
    ],
)
def test_a_model_counts_under_the_name_that_the_graph_gives_it(there, counts):
    stock = Inventory("0.3.75", frozenset(CORE.nodes), {"vae": frozenset([there])})
    missing = lacks(needing([("a.safetensors", "vae")]), stock)
    assert bool(missing) is not counts
    if missing:
        assert missing.elsewhere == (there if there.startswith("sub") else "",)


async def test_a_model_in_another_subfolder_is_told(fake, catalog):
    fake.models["loras"] = ["deeper/b.safetensors"]
    with pytest.raises(BadRequest, match=r"sub/b\.safetensors in models/loras") as caught:
        await catalog.choose(fake.url, "better")
    assert (
        "deeper/b.safetensors is there, but the graph names it sub/b.safetensors: move it."
        in caught.value.details
    )
    assert "models pull" not in caught.value.details


async def test_the_command_that_brings_missing_models_is_told(fake, catalog):
    fake.models["loras"] = []
    with pytest.raises(BadRequest) as caught:
        await catalog.choose(fake.url, "better")
    assert caught.value.details.startswith(
        "Install what is missing there and try again. "
        "The models: promptreel models pull better --comfyui PATH."
    )


@pytest.mark.parametrize(
    ("older", "present"), [("unet", "diffusion_models"), ("clip", "text_encoders")]
)
async def test_a_folders_older_name_means_the_present_one(fake, older, present):
    """ComfyUI knows the older names only as folders on disk: /models/unet is 404 there."""
    fake.models = {present: ["a.safetensors"]}
    async with new_session() as session:
        catalog = ServerCatalog(session, {"old": needing([("a.safetensors", older)])})
        assert (await catalog.choose(fake.url, "old")).models[0].folder == present
    assert asked(fake, f"/models/{older}") == 0


def needing(files):
    """Return a pipeline of core nodes that needs the files: pairs of name and folder."""
    manifest = {
        "mapping": {"image": [["1", "image"]], "text": []},
        "outputs": {"video": "4"},
        "models": [{"name": name, "folder": folder} for name, folder in files],
    }
    return read_pipeline("needing", manifest, dict(CORE.graph))


async def test_a_server_that_is_away_is_an_error(fake, catalog, now):
    await catalog.choose(fake.url, None)
    await fake.stop()
    now[0] += 3
    with pytest.raises(ServerFailure) as caught:
        await catalog.choose(fake.url, None)
    assert caught.value.code == "comfyui_unreachable"
    with pytest.raises(ServerFailure):
        await catalog.listing(fake.url)
    await fake.restart()


async def test_something_that_is_no_comfyui_is_not_alive(fake, catalog):
    fake.faults.broken_json = True
    assert not await catalog.alive(fake.url)
    with pytest.raises(ServerFailure):
        await catalog.choose(fake.url, None)


async def test_alive_is_asked_once_in_a_while(fake, catalog, now):
    assert [await catalog.alive(fake.url) for _ in range(5)] == [True] * 5
    assert asked(fake, "/system_stats") == 1
    now[0] += 3
    await fake.stop()
    assert not await catalog.alive(fake.url)
    await fake.restart()


async def test_the_listing_shows_the_default_and_what_is_missing(fake, catalog):
    rows = {row["name"]: row for row in (await catalog.listing(fake.url))["pipelines"]}
    assert [name for name, row in rows.items() if row["default"]] == ["better"]
    assert rows["better"]["missing"] == {"nodes": [], "models": [], "comfyui": ""}
    assert rows["needs-more"]["missing"]["models"][1] == {
        "name": "neither.safetensors",
        "folder": "models/vae",
        "size": 242_000_000,
        "licence": "Apache-2.0",
        "source": "https://example.org/neither",
    }
    assert rows["needs-more"]["vram"] == "8 GB with offloading"
    (frames, fps) = rows["core-nodes"]["parameters"]
    assert frames == {
        "name": "frames",
        "type": "integer",
        "default": 3,
        "minimum": 1,
        "maximum": 100,
        "choices": [],
        "help": "Number of frames.",
    }
    assert (fps["name"], fps["default"]) == ("fps", 8.0)


async def test_without_a_server_nothing_is_known_to_be_missing(catalog):
    rows = {row["name"]: row for row in (await catalog.listing(None))["pipelines"]}
    assert [name for name, row in rows.items() if row["default"]] == ["camera-motion"]
    assert all(row["missing"] is None for row in rows.values())
