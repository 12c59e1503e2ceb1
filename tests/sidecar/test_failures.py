"""ComfyUI's failures as one sentence: node, cause, hint; no path, no traceback, no inputs."""

from __future__ import annotations

import pytest

from sidecar.comfy.errors import Rejected
from sidecar.comfy.failures import failure, harmless, no_files, public_record, rejection
from tests.fake_comfy import GRAPH

SECRETS = {
    "traceback": ['  File "/srv/comfy/execution.py", line 1'],
    "current_inputs": {"text": ["secret"]},
    "current_outputs": ["1"],
}


def record(status="error", *messages, outputs=None):
    told = [list(message) for message in messages]
    state = {"status_str": status, "completed": status == "success", "messages": told}
    return {"prompt": [0, "p", {}, {}, []], "outputs": outputs or {}, "status": state}


def raised(message, kind="RuntimeError", node="2", node_type="KSampler"):
    data = {"node_id": node, "node_type": node_type, "exception_type": kind}
    return ("execution_error", {**data, "exception_message": message, **SECRETS})


def said(message, **more) -> str:
    error = failure(record("error", raised(message, **more)), GRAPH)
    assert error is not None
    assert error.status == 500
    for part in ("/srv", "secret", "Traceback", "execution.py"):
        assert part not in error.error + error.details
    return error.error


def test_node_and_cause():
    assert said("boom\n") == "ComfyUI failed in 'KSampler' (node 2): boom."
    assert said("No picture!", node="1") == "ComfyUI failed in 'Picture' (node 1): No picture!"
    assert said("x", node="7:3", node_type="Inner") == "ComfyUI failed in 'Inner' (node 7:3): x."
    assert said("") == "ComfyUI failed in 'KSampler' (node 2): RuntimeError."
    assert said("a\nb\n/srv/x") == "ComfyUI failed in 'KSampler' (node 2): a."


@pytest.mark.parametrize(
    ("message", "kind", "code", "hint"),
    [
        ("CUDA out of memory. Tried", "torch.OutOfMemoryError", "out_of_memory", "resolution"),
        ("Allocation on device", "torch.cuda.OutOfMemoryError", "out_of_memory", "fewer seconds"),
        ("mat1 and mat2 shapes cannot be multiplied", "RuntimeError", "node_failed", "fit"),
        ("Error: HeaderTooLarge", "SafetensorError", "node_failed", "download it again"),
        ("[Errno 28] No space left on device", "OSError", "disk_full", "Free some space"),
        (
            "[Errno 2] No such file or directory: '/srv/a'",
            "FileNotFoundError",
            "node_failed",
            "mis",
        ),
    ],
)
def test_hints(message, kind, code, hint):
    error = failure(record("error", raised(message, kind)), GRAPH)
    assert error is not None
    assert error.code == code
    assert hint in error.error
    assert said(message, kind=kind) == error.error


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("can't open '/home/me/my files/a b.png'", "can't open 'a b.png'"),
        ("can't open /home/me/a.png now", "can't open a.png now"),
        (r'in "C:\Users\My Name\x.safetensors"', 'in "x.safetensors"'),
        (r"in C:\models\x.safetensors: bad", "in x.safetensors: bad"),
        (r"in \\server\share\x.bin", "in x.bin"),
        ("see https://example.org/a/b and 3/4 of it", "see https://example.org/a/b and 3/4 of it"),
        ("(/tmp/a/b.py)", "(b.py)"),
        ("\n\n  second line counts \n", "second line counts"),
        (None, ""),
        ("x" * 400, "x" * 300 + "..."),
    ],
)
def test_words_lose_their_folders(text, kept):
    assert harmless(text) == kept


def test_success_is_no_failure():
    assert failure(record("success"), GRAPH) is None
    assert failure({"outputs": {}}, GRAPH) is None


def test_an_interruption_is_told_as_such():
    event = ("execution_interrupted", {"node_id": "2", "node_type": "KSampler"})
    error = failure(record("error", ("execution_start", {}), event), GRAPH)
    assert error is not None
    assert error.code == "interrupted_in_comfyui"
    assert "'KSampler' (node 2)" in error.details


def test_an_error_without_a_reason():
    for broken in ({"status_str": "error"}, {"status_str": "error", "messages": ["x", [1]]}):
        error = failure({"status": broken}, GRAPH)
        assert error is not None
        assert error.code == "comfyui_failed"


def test_a_success_without_files():
    error = no_files(record("success"), GRAPH, "9")
    assert error.code == "no_output"
    assert "'SaveVideo' (node 9) made no file" in error.error
    blocked = raised("Not today", "ExecutionBlocked", "2")
    assert "Not today" in no_files(record("success", blocked), GRAPH, "9").error


def reject(kind="", message="", node_errors=None):
    error = {"type": kind, "message": message, "details": "", "extra_info": {}}
    return rejection(Rejected("no", error=error, node_errors=node_errors or {}), GRAPH)


def test_a_missing_node_is_a_fault_of_the_request():
    said = "Cannot execute because node FooBar does not exist."
    for error in (reject("invalid_prompt", said), reject("missing_node_type", said)):
        assert (error.status, error.code) == (400, "missing_requirements")
        assert "FooBar" in error.error


def test_refused_inputs_name_node_and_input():
    details = {"message": "Value not in list", "details": "ckpt_name: '/srv/a.st' not in [...]"}
    first = {"errors": [{"type": "value_not_in_list", **details, "extra_info": SECRETS}]}
    second = {"errors": [{"message": "Too small", "details": "width"}], "class_type": "Empty"}
    error = reject("prompt_outputs_failed_validation", "", {"2": first, "1": second})
    assert error.status == 500
    assert error.error == (
        "ComfyUI refuses 'KSampler' (node 2): Value not in list: ckpt_name: 'a.st' not in [...]."
    )
    assert error.details.startswith("'Picture' (node 1): Too small: width")
    assert "secret" not in error.error + error.details


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ("The file a.st is no VAE: choose another.", "The file a.st is no VAE: choose another."),
        ("'99'", "Exception when validating inner node: '99'."),
    ],
)
def test_a_sentence_that_a_node_raised_stands_alone(details, said):
    kind = "exception_during_inner_validation"
    raised_one = {"type": kind, "message": "Exception when validating inner node"}
    errors = {"errors": [{**raised_one, "details": details}]}
    error = reject("prompt_outputs_failed_validation", "", {"2": errors})
    assert error.error == f"ComfyUI refuses 'KSampler' (node 2): {said}"


def test_other_refusals():
    assert reject("prompt_no_outputs", "Prompt has no outputs").code == "graph_rejected"
    assert reject().error.endswith("it does not say why.")
    assert reject("", "", {"4": "strange"}).error == "ComfyUI refuses node 4: it does not say why."


def test_what_is_public_of_a_record():
    file = {"filename": "a.mp4", "fullpath": "/srv/out/a.mp4", "format": "video/h264-mp4"}
    other = {"filename": "b.mp4", "fullpath": "C:\\out\\b.mp4", "n": 1, "on": True, "none": None}
    text = {"text": ["a/b", "/just one line\nbut two"], "empty": [], "nothing": {}}
    outputs = {"9": {"gifs": [file, other]}, "5": text}
    done = record("success", ("execution_start", {"prompt_id": "p"}), raised("at /srv/x/y", "E"))
    shown = public_record({**done, "outputs": outputs})
    assert set(shown) == {"outputs", "status"}
    assert [entry["fullpath"] for entry in shown["outputs"]["9"]["gifs"]] == ["a.mp4", "b.mp4"]
    assert shown["outputs"]["9"]["gifs"][0]["format"] == "video/h264-mp4"
    assert shown["outputs"]["5"] == text
    (_, error) = shown["status"]["messages"][1]
    assert error["exception_message"] == "at y"
    assert not set(error) & set(SECRETS)
