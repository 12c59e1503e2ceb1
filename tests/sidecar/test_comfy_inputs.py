"""How a picture gets to ComfyUI: the shared folder is proved, never believed; else it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.backends.inputs import Inputs, input_folder
from sidecar.comfy.client import ComfyClient, new_session
from sidecar.media import LocalMediaStore

KEY = "a" * 64 + ".png"
DATA = b"the picture's bytes" * 1000


@pytest.fixture
async def media(tmp_path):
    store = LocalMediaStore(tmp_path / "data")
    await store.open(alone=True)

    async def chunks():
        yield DATA

    await store.put_stream(KEY, chunks())
    return store


@pytest.fixture
async def inputs(fake, media):
    """Return a function that makes the Inputs for a setting."""
    async with new_session() as session:
        yield lambda folder="": Inputs(ComfyClient(fake.url, session), media, folder)


@pytest.fixture
def shared(fake, tmp_path):
    """A folder that the fake really reads its inputs from."""
    fake.input_dir = tmp_path / "comfy" / "input"
    fake.input_dir.mkdir(parents=True)
    return fake.input_dir


def sent(fake) -> int:
    return sum(path == "/upload/image" for _, path, _ in fake.requests)


async def test_a_folder_that_comfyui_tells_of_is_written_to(fake, inputs, shared):
    fake.argv = ["main.py", "--base-directory", str(shared.parent)]
    assert await inputs().place(KEY) == f"promptreel/{KEY}"
    assert (shared / "promptreel" / KEY).read_bytes() == DATA
    assert [path.name for path in shared.rglob("*") if path.is_file()] == [KEY]
    assert sent(fake) == 0


async def test_the_operators_word_counts_before_comfyuis(fake, inputs, shared, tmp_path):
    fake.argv = ["main.py", "--base-directory", str(tmp_path / "nowhere")]
    await inputs(str(shared)).place(KEY)
    assert (shared / "promptreel" / KEY).exists()
    assert sent(fake) == 0


async def test_a_folder_that_comfyui_does_not_read_is_left_clean(fake, inputs, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    assert await inputs(str(other)).place(KEY) == f"promptreel/{KEY}"
    assert list(other.iterdir()) == []
    assert fake.files["input", "promptreel", KEY] == DATA


async def test_a_folder_with_another_file_behind_the_name_is_not_believed(fake, inputs, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    fake.files["input", "promptreel", KEY] = b"something else"
    await inputs(str(other)).place(KEY)
    assert sent(fake) == 1
    assert fake.files["input", "promptreel", KEY] == DATA


@pytest.mark.parametrize("setting", ["-", "", "/nowhere/at/all"])
async def test_without_a_shared_folder_it_is_sent(fake, inputs, setting):
    assert await inputs(setting).place(KEY) == f"promptreel/{KEY}"
    assert sent(fake) == 1


async def test_a_dash_sends_though_the_folder_is_there(fake, inputs, shared):
    fake.argv = ["main.py", "--input-directory", str(shared)]
    await inputs("-").place(KEY)
    assert sent(fake) == 1
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize("setting", ["-", "shared"])
async def test_what_is_there_is_not_brought_again_and_what_is_gone_is(
    fake, inputs, shared, setting
):
    place = inputs(str(shared) if setting == "shared" else "-")
    await place.place(KEY)
    before = len(fake.requests)
    await place.place(KEY)
    assert len(fake.requests) == before
    assert await place.check(KEY)
    fake.files.clear()
    for path in shared.rglob(KEY):
        path.unlink()
    assert not await place.check(KEY)
    await place.place(KEY)
    there = (shared / "promptreel" / KEY).exists() or ("input", "promptreel", KEY) in fake.files
    assert there


async def test_what_cannot_be_told_counts_as_there(fake, inputs):
    place = inputs("-")
    assert await place.check(KEY)
    await place.place(KEY)
    await fake.stop()
    assert await place.check(KEY)
    await fake.restart()


async def test_a_picture_that_is_not_stored(inputs):
    with pytest.raises(KeyError):
        await inputs().place("b" * 64 + ".png")


@pytest.mark.parametrize(
    ("argv", "folder"),
    [
        (["main.py"], None),
        ([], None),
        (["/opt/comfy/main.py", "--listen"], "/opt/comfy/input"),
        (["main.py", "--input-directory", "/in"], "/in"),
        (["main.py", "--input-directory=/in", "--base-directory", "/base"], "/in"),
        (["/opt/main.py", "--base-directory", "/base"], "/base/input"),
        (["/opt/main.py", "--base-directory", "/a", "--base-directory", "/b"], "/b/input"),
        (["/opt/main.py", "--input-directory", "relative"], None),
        (["/opt/main.py", "--input-directory"], "/opt/input"),
    ],
)
def test_where_a_command_line_says_the_inputs_are(argv, folder):
    assert input_folder(argv) == (Path(folder) if folder else None)
