"""The table of settings: each row a name, environment variable, flag, type, default and help.

Adding a setting is a row here and a field of `Settings`. Holds data only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Mode = Literal["auto", "comfyui", "demo"]
Kind = Literal[
    "text",
    "secret",
    "integer",
    "number",
    "flag",
    "path",
    "url",
    "choice",
    "list",
    "origins",
    "servers",
]


@dataclass(frozen=True)
class Setting:
    """One row. `flag` is None where a value must not show in the list of processes."""

    name: str
    env: str
    flag: str | None
    kind: Kind
    default: str
    help: str
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float = math.inf


SETTINGS: tuple[Setting, ...] = (
    Setting("host", "PROMPTREEL_HOST", "--host", "text", "127.0.0.1", "Address to listen on."),
    Setting(
        "port",
        "PROMPTREEL_PORT",
        "--port",
        "integer",
        "8190",
        "Port to listen on; 0 takes a free one.",
        most=65535,
    ),
    Setting(
        "data_dir",
        "PROMPTREEL_DATA_DIR",
        "--data-dir",
        "path",
        "data",
        "Folder for pictures, videos and the list of jobs.",
    ),
    Setting(
        "mode",
        "PROMPTREEL_MODE",
        "--mode",
        "choice",
        "auto",
        "auto: ComfyUI where there is one, else the built-in engine; comfyui: never the built-in "
        "engine; demo: always the built-in engine.",
        choices=get_args(Mode),
    ),
    Setting(
        "comfyui_url",
        "COMFYUI_SERVER_URL",
        "--comfyui-url",
        "url",
        "",
        "The ComfyUI to use where a request names none.",
    ),
    Setting(
        "local_comfyui_url",
        "PROMPTREEL_LOCAL_COMFYUI_URL",
        "--local-comfyui-url",
        "url",
        "http://127.0.0.1:8188",
        "Where to look for a ComfyUI when none is named; blank looks nowhere.",
    ),
    Setting(
        "comfyui_input_dir",
        "PROMPTREEL_COMFYUI_INPUT_DIR",
        "--comfyui-input-dir",
        "text",
        "",
        "ComfyUI's input folder, where pictures are written instead of sent; blank: what a ComfyUI "
        "on this machine tells; -: always send.",
    ),
    Setting(
        "pipelines_dir",
        "PROMPTREEL_PIPELINES_DIR",
        "--pipelines-dir",
        "text",
        "",
        "Folder with pipelines of your own, one folder each.",
    ),
    Setting(
        "public_url",
        "PROMPTREEL_PUBLIC_URL",
        "--public-url",
        "url",
        "",
        "Address that clients reach this service by; answers' links begin with it.",
    ),
    Setting(
        "api_key",
        "PROMPTREEL_API_KEY",
        None,
        "secret",
        "",
        "Key that clients send as 'Authorization: Bearer KEY'; blank asks for none.",
    ),
    Setting(
        "insecure",
        "PROMPTREEL_INSECURE",
        "--insecure",
        "flag",
        "",
        "Listen beyond this machine without an API key.",
    ),
    Setting(
        "allowed_hosts",
        "PROMPTREEL_ALLOWED_HOSTS",
        "--allowed-hosts",
        "list",
        "",
        "Further host names that this service is reached by, with commas.",
    ),
    Setting(
        "cors_origins",
        "PROMPTREEL_CORS_ORIGINS",
        "--cors-origins",
        "origins",
        "",
        "Origins whose pages may call this service, with commas (https://studio.example).",
    ),
    Setting(
        "allowed_servers",
        "PROMPTREEL_ALLOWED_SERVERS",
        "--allowed-servers",
        "servers",
        "",
        "Addresses that serverUrl may name besides this machine, with commas.",
    ),
    Setting(
        "allowed_image_hosts",
        "PROMPTREEL_ALLOWED_IMAGE_HOSTS",
        "--allowed-image-hosts",
        "list",
        "",
        "Host names that imageUrl may name though their address is private, with commas.",
    ),
    Setting(
        "max_upload_mb",
        "PROMPTREEL_MAX_UPLOAD_MB",
        "--max-upload-mb",
        "number",
        "50",
        "Largest picture accepted, in megabytes.",
        least=0.001,
    ),
    Setting(
        "fetch_seconds",
        "PROMPTREEL_FETCH_SECONDS",
        "--fetch-seconds",
        "number",
        "20",
        "Longest time to fetch a picture from its address.",
        least=0.1,
    ),
    Setting(
        "demo_jobs",
        "PROMPTREEL_DEMO_JOBS",
        "--demo-jobs",
        "integer",
        "2",
        "Videos that the built-in engine makes at once.",
        least=1,
    ),
    Setting(
        "comfyui_jobs",
        "PROMPTREEL_COMFYUI_JOBS",
        "--comfyui-jobs",
        "integer",
        "4",
        "Jobs handed to ComfyUI at once.",
        least=1,
    ),
    Setting(
        "comfyui_seconds",
        "PROMPTREEL_COMFYUI_SECONDS",
        "--comfyui-seconds",
        "number",
        "1800",
        "Time without progress after which a job in ComfyUI is stopped.",
        least=1,
    ),
    Setting(
        "max_queued",
        "PROMPTREEL_MAX_QUEUED",
        "--max-queued",
        "integer",
        "100",
        "Waiting jobs after which further ones are refused with 429.",
        least=1,
    ),
    Setting(
        "log_level",
        "PROMPTREEL_LOG_LEVEL",
        "--log-level",
        "choice",
        "info",
        "How much to log.",
        choices=("debug", "info", "warning", "error"),
    ),
)
