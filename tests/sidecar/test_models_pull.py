"""Model files from a Hub into a ComfyUI folder: resumed, checked, never half there."""

from __future__ import annotations

import hashlib
import random
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from sidecar.models.errors import ModelsError, Unreachable
from sidecar.models.folders import open_folder
from sidecar.models.hub import Hub, HubFile, hub_file
from sidecar.models.needs import State, look
from sidecar.models.pull import check_space, fetch, plan
from sidecar.pipelines import ModelFile
from tests.fake_hub import FakeHub

DATA = random.Random(1).randbytes(300_000)
PATH = "Org/Repo/split_files/vae/a.safetensors"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """No token of the person who runs the tests, no waiting, and chunks to fit our small files."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)


@pytest.fixture
def fake():
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def comfy(tmp_path):
    (tmp_path / "ComfyUI" / "models").mkdir(parents=True)
    return open_folder(str(tmp_path / "ComfyUI"))


@pytest.fixture
def model(fake) -> ModelFile:
    return ModelFile("a.safetensors", "vae", size=len(DATA), source=fake.add(PATH, DATA))


def pull(models, comfy, hub):
    """Return what was told and the sentences about what failed."""
    told: list[str] = []
    planned = plan(models, comfy, hub)
    check_space(planned.tasks)
    return told, [*planned.troubles, *fetch(planned.tasks, hub, comfy, told.append)]


def listing(comfy) -> list[str]:
    return sorted(
        path.relative_to(comfy.root / "models").as_posix()
        for path in (comfy.root / "models").rglob("*")
        if path.is_file()
    )


def test_a_file_comes_whole_into_its_folder(fake, comfy, model):
    told, troubles = pull([model], comfy, Hub(fake.url))
    assert troubles == []
    assert listing(comfy) == ["vae/a.safetensors"]
    assert (comfy.root / "models/vae/a.safetensors").read_bytes() == DATA
    assert told[0] == "[1/1] a.safetensors (0.00 GB) -> models/vae"
    assert look(model, comfy).state is State.THERE
    assert fake.encodings == {"identity"}, "compressed bytes can't be counted or gone on with"


def test_what_is_there_is_skipped_without_a_question(fake, comfy, model):
    pull([model], comfy, Hub(fake.url))
    fake.requests.clear()
    assert pull([model], comfy, Hub(fake.url)) == ([], [])
    assert fake.requests == []


def test_a_rounded_size_is_compared_with_the_hubs(fake, comfy, model):
    rounded = replace(model, size=299_999)
    place = comfy.root / "models" / "vae"
    place.mkdir()
    (place / "a.safetensors").write_bytes(DATA)
    assert pull([rounded], comfy, Hub(fake.url)) == ([], [])
    assert fake.gets() == []
    (place / "a.safetensors").write_bytes(DATA[:-10])
    _, (trouble,) = pull([rounded], comfy, Hub(fake.url))
    assert "has 299990 bytes, but the Hub's a.safetensors has 300000: if" in trouble
    assert (place / "a.safetensors").stat().st_size == len(DATA) - 10


@pytest.mark.parametrize("older", ["clip", "text_encoders"])
def test_a_file_in_the_older_folder_is_there(fake, comfy, model, older):
    place = comfy.root / "models" / older
    place.mkdir()
    (place / "a.safetensors").write_bytes(DATA)
    assert pull([replace(model, folder="text_encoders")], comfy, Hub(fake.url)) == ([], [])
    assert fake.requests == []


def test_a_cut_connection_is_gone_on_with_in_the_same_run(fake, comfy, model):
    fake.faults.cut_after = [100_000, 50_000]
    pull([model], comfy, Hub(fake.url))
    assert (comfy.root / "models/vae/a.safetensors").read_bytes() == DATA
    assert fake.gets() == ["", "bytes=100000-", "bytes=150000-"]


def test_a_download_that_broke_off_goes_on_in_the_next_run(fake, comfy, model):
    fake.faults.cut_after = [120_000] + [0] * 20
    with pytest.raises(Unreachable, match="pull again to go on"):
        pull([model], comfy, Hub(fake.url))
    (part,) = listing(comfy)
    assert part.startswith("vae/a.safetensors.")
    assert part.endswith(".part")
    assert comfy.find("vae", "a.safetensors") is None
    found = look(model, comfy)
    assert (found.state, found.on_disk) == (State.BEGUN, 120_000)
    fake.faults.cut_after = []
    fake.requests.clear()
    fake.sent = 0
    told, troubles = pull([model], comfy, Hub(fake.url))
    assert troubles == []
    assert "40% are there" in told[0]
    assert (fake.gets(), fake.sent) == (["bytes=120000-"], 180_000)
    assert listing(comfy) == ["vae/a.safetensors"]
    assert (comfy.root / "models/vae/a.safetensors").read_bytes() == DATA


def test_a_file_above_the_limit_of_one_answer_comes_in_pieces(fake, comfy, model, monkeypatch):
    """The library and the Hub's servers refuse more than 50 GB at once."""
    monkeypatch.setattr("huggingface_hub.constants.MAX_HTTP_DOWNLOAD_SIZE", 110_000)
    fake.faults.most_at_once = 110_000
    fake.faults.cut_after = [110_000, 30_000]
    assert pull([model], comfy, Hub(fake.url))[1] == []
    assert (comfy.root / "models/vae/a.safetensors").read_bytes() == DATA
    assert fake.gets() == [
        "bytes=0-109999",
        "bytes=110000-219999",
        "bytes=140000-219999",
        "bytes=220000-299999",
    ]


def test_such_a_file_goes_on_in_the_next_run_too(fake, comfy, model, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.MAX_HTTP_DOWNLOAD_SIZE", 110_000)
    fake.faults.cut_after = [20_000, *[0] * 20]
    with pytest.raises(Unreachable):
        pull([model], comfy, Hub(fake.url))
    fake.faults.cut_after.clear()
    assert pull([model], comfy, Hub(fake.url))[1] == []
    assert (comfy.root / "models/vae/a.safetensors").read_bytes() == DATA


def test_a_server_that_can_not_go_on_begins_anew(fake, comfy, model):
    fake.faults.cut_after = [120_000] + [0] * 20
    with pytest.raises(Unreachable):
        pull([model], comfy, Hub(fake.url))
    fake.faults.cut_after = []
    fake.faults.ignore_range = True
    assert pull([model], comfy, Hub(fake.url))[1] == []
    assert (comfy.root / "models/vae/a.safetensors").read_bytes() == DATA


def test_a_part_of_another_version_is_never_gone_on_with(fake, comfy, model):
    fake.faults.cut_after = [120_000] + [0] * 20
    with pytest.raises(Unreachable):
        pull([model], comfy, Hub(fake.url))
    fake.faults.cut_after = []
    newer = bytes(reversed(DATA))
    fake.add(PATH, newer)
    assert pull([model], comfy, Hub(fake.url))[1] == []
    assert (comfy.root / "models/vae/a.safetensors").read_bytes() == newer
    assert listing(comfy) == ["vae/a.safetensors"]


def test_a_wrong_checksum_is_told_and_nothing_is_left(fake, comfy, model):
    other = ModelFile("b.safetensors", "vae", source=fake.add("Org/Repo/b.safetensors", b"b" * 99))
    fake.faults.other_bytes = True
    _, troubles = pull([model, other], comfy, Hub(fake.url))
    assert [trouble.partition(" arrived damaged")[0] for trouble in troubles] == [
        "a.safetensors",
        "b.safetensors",
    ]
    assert listing(comfy) == []


def test_a_checksum_of_the_pipeline_counts_where_the_hub_tells_none(fake, comfy, model):
    fake.plain.add(PATH)
    good = replace(model, sha256=hashlib.sha256(DATA).hexdigest())
    _, (trouble,) = pull([replace(model, sha256="0" * 64)], comfy, Hub(fake.url))
    assert "arrived damaged" in trouble
    assert listing(comfy) == []
    assert pull([good], comfy, Hub(fake.url))[1] == []
    assert listing(comfy) == ["vae/a.safetensors"]


def test_another_checksum_on_the_hub_is_refused_before_anything_comes(fake, comfy, model):
    _, (trouble,) = pull([replace(model, sha256="0" * 64)], comfy, Hub(fake.url))
    assert "is not the one that pipeline.json means" in trouble
    assert fake.gets() == []


def test_all_files_together_must_fit_before_any_is_begun(fake, comfy, model, monkeypatch):
    others = [
        ModelFile(f"{n}.safetensors", "loras", source=fake.add(f"Org/Repo/{n}.safetensors", DATA))
        for n in range(3)
    ]
    usage = namedtuple("usage", "total used free")
    free = 200_000_000 + 1_000_000  # each fits, the four don't
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(free, 0, free))
    with pytest.raises(ModelsError, match=r"Not enough space in .*: 0\.00 GB are to come"):
        pull([model, *others], comfy, Hub(fake.url))
    assert fake.gets() == []
    assert pull([model, *others[:2]], comfy, Hub(fake.url))[1] == []


def test_more_than_the_disk_has_is_refused(fake, comfy, model):
    hub = Hub(fake.url)
    planned = plan([model], comfy, hub)
    huge = replace(planned.tasks[0], remote=replace(planned.tasks[0].remote, size=1 << 60))
    with pytest.raises(
        ModelsError, match=r"Not enough space in .*ComfyUI/models: 1152921504\.61 GB"
    ):
        check_space([huge])


def test_a_gated_repository_needs_a_token(fake, comfy, model, monkeypatch):
    fake.faults.gated = True
    _, (trouble,) = pull([model], comfy, Hub(fake.url))
    assert "refuses Org/Repo (401)" in trouble
    assert "https://huggingface.co/Org/Repo" in trouble
    assert "HF_TOKEN" in trouble
    monkeypatch.setenv("HF_TOKEN", "good")
    assert pull([model], comfy, Hub(fake.url))[1] == []
    assert fake.tokens_elsewhere == 0


def test_what_is_refused_does_not_keep_the_others_from_coming(fake, comfy, model):
    gone = replace(
        model, name="gone.safetensors", source=model.source.replace("a.safe", "gone.safe")
    )
    nowhere = ModelFile("n.safetensors", "vae")
    elsewhere = ModelFile("e.safetensors", "vae", source="https://example.org/e.safetensors")
    _, troubles = pull([gone, nowhere, elsewhere, model], comfy, Hub(fake.url))
    assert listing(comfy) == ["vae/a.safetensors"]
    assert "has no split_files/vae/gone.safetensors in Org/Repo (404)" in troubles[0]
    assert "tells no source" in troubles[1]
    assert "download it yourself, from https://example.org/e.safetensors into" in troubles[2]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ({"forbidden": True}, ModelsError, r"refuses Org/Repo \(403\)"),
        ({"status": 429}, Unreachable, "slow down"),
        ({"status": 502}, Unreachable, r"failed \(502\)"),
    ],
)
def test_what_the_hub_answers_is_one_sentence(fake, comfy, model, fault, kind, words):
    for name, value in fault.items():
        setattr(fake.faults, name, value)
    with pytest.raises(kind, match=words) as caught:
        Hub(fake.url).look(hub_file(model.source) or HubFile("", "", ""))
    assert "\n" not in str(caught.value)


def test_a_hub_that_is_away_ends_everything_with_one_sentence(comfy, model, fake):
    url = fake.url
    fake.__exit__()
    with pytest.raises(Unreachable, match="is this machine online"):
        pull([model, model], comfy, Hub(url))


def test_two_at_once_on_one_file_do_not_mix(fake, comfy, model):
    hub = Hub(fake.url)
    (task,) = plan([model], comfy, hub).tasks
    task.target.parent.mkdir()
    part = f"{task.target}.{task.remote.sha256[:12]}.part"
    with (
        FileLock(f"{part}.lock"),
        pytest.raises(ModelsError, match="Another process downloads"),
    ):
        fetch([task], hub, comfy, print)
    assert pull([model], comfy, hub)[1] == []


def test_a_place_that_can_not_be_written_is_one_sentence(fake, comfy, model):
    (comfy.root / "models" / "vae").write_bytes(b"a file where the folder should be")
    with pytest.raises(ModelsError, match=r"models.vae can't be written: .*\.$"):
        pull([model], comfy, Hub(fake.url))


def test_a_folder_with_the_models_name_is_told_before_anything_comes(fake, comfy, model):
    (comfy.root / "models" / "vae" / "a.safetensors").mkdir(parents=True)
    _, (trouble,) = pull([model], comfy, Hub(fake.url))
    assert trouble.endswith("is a folder: move it away, a.safetensors goes there.")
    assert fake.gets() == []


def test_a_file_that_vanishes_from_the_hub_meanwhile_is_one_sentence(fake, comfy, model):
    hub = Hub(fake.url)
    planned = plan([model], comfy, hub)
    fake.files.clear()
    with pytest.raises(ModelsError, match=r"The Hub has no split_files/vae/a.safetensors .*404"):
        fetch(planned.tasks, hub, comfy, print)


def test_a_full_disk_is_one_sentence():
    disk = Path("/dev/full")
    if not disk.exists():
        pytest.skip("only Linux has a disk that is always full")
    with FakeHub() as fake, disk.open("wb", buffering=0) as file:
        source = fake.add(PATH, DATA)
        hub = Hub(fake.url)
        remote = hub.look(hub_file(source) or HubFile("", "", ""))
        with pytest.raises(ModelsError, match="The disk is full"):
            hub.fetch(remote, file, 0)


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        (
            "https://huggingface.co/Comfy-Org/Wan_2.2/resolve/main/split%20files/a.safetensors",
            HubFile("Comfy-Org/Wan_2.2", "main", "split files/a.safetensors"),
        ),
        ("https://hf.co/a/b/blob/refs%2Fpr%2F1/c.pt", HubFile("a/b", "refs/pr/1", "c.pt")),
        ("https://huggingface.co/a/b/tree/main", None),
        ("https://huggingface.co/datasets/a/b/resolve/main/c", None),
        ("https://huggingface.co.example.org/a/b/resolve/main/c", None),
        ("https://example.org/a/b/resolve/main/c", None),
    ],
)
def test_an_address_means_a_file_of_the_hub_or_none(source, meant):
    assert hub_file(source) == meant
