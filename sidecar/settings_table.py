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
    "secrets",
    "integer",
    "number",
    "flag",
    "path",
    "url",
    "urls",
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
        "urls",
        "",
        "The ComfyUI to use where a request names none; several with commas share the work.",
    ),
    Setting(
        "servers_file",
        "PROMPTREEL_SERVERS_FILE",
        "--servers-file",
        "text",
        "",
        "TOML file that lists the ComfyUIs, each with its own settings (docs/settings.md).",
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
        "published",
        "PROMPTREEL_PUBLISHED",
        "--published",
        "choice",
        "on",
        "Whether pipelines that somebody published on a ComfyUI can be asked for.",
        choices=("on", "off"),
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
        "One API key, named default; further ones are made by promptreel keys (SECURITY.md).",
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
        "webhook_secrets",
        "PROMPTREEL_WEBHOOK_SECRET",
        None,
        "secrets",
        "",
        "Secret that webhooks are signed with: whsec_ and base64 of 24 to 64 bytes; two with a "
        "comma while one replaces the other; blank: no webhooks.",
    ),
    Setting(
        "allowed_webhook_hosts",
        "PROMPTREEL_ALLOWED_WEBHOOK_HOSTS",
        "--allowed-webhook-hosts",
        "list",
        "",
        "Host names that webhookUrl may name though their address is private, with commas.",
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
        "2",
        "Jobs handed to each ComfyUI at once; the rest waits here, where it can be moved.",
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
        "comfyui_away_seconds",
        "PROMPTREEL_COMFYUI_AWAY_SECONDS",
        "--comfyui-away-seconds",
        "number",
        "120",
        "Time that a ComfyUI may not answer before its jobs go to another one.",
        least=1,
    ),
    Setting(
        "start_seconds",
        "PROMPTREEL_START_SECONDS",
        "--start-seconds",
        "number",
        "86400",
        "Time that a job may wait until ComfyUI begins it; 0: as long as it takes.",
    ),
    Setting(
        "total_seconds",
        "PROMPTREEL_TOTAL_SECONDS",
        "--total-seconds",
        "number",
        "21600",
        "Time that a job may take from its start to its end; 0: as long as it takes.",
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
        "max_uploads",
        "PROMPTREEL_MAX_UPLOADS",
        "--max-uploads",
        "integer",
        "32",
        "Pictures received or fetched at once; further ones are refused with 429.",
        least=1,
    ),
    Setting(
        "max_event_clients",
        "PROMPTREEL_MAX_EVENT_CLIENTS",
        "--max-event-clients",
        "integer",
        "1000",
        "Clients that follow jobs by server-sent events at once; more are refused with 503.",
        least=1,
    ),
    Setting(
        "max_connections",
        "PROMPTREEL_MAX_CONNECTIONS",
        "--max-connections",
        "integer",
        "2000",
        "Connections open at once; further ones are closed with 503.",
        least=1,
    ),
    Setting(
        "stall_seconds",
        "PROMPTREEL_STALL_SECONDS",
        "--stall-seconds",
        "number",
        "30",
        "Time after which a client that sends less than 500 bytes a second, or reads nothing of "
        "its answer, is let go.",
        least=0.1,
    ),
    Setting(
        "body_seconds",
        "PROMPTREEL_BODY_SECONDS",
        "--body-seconds",
        "number",
        "600",
        "Time that the body of a request may take to come.",
        least=0.1,
    ),
    Setting(
        "shutdown_seconds",
        "PROMPTREEL_SHUTDOWN_SECONDS",
        "--shutdown-seconds",
        "number",
        "10",
        "Time that answers under way get to finish when the service is told to stop.",
    ),
    Setting(
        "keep_days",
        "PROMPTREEL_KEEP_DAYS",
        "--keep-days",
        "number",
        "0",
        "Days after which pictures and videos that nobody used are deleted; 0: never.",
    ),
    Setting(
        "keep_gb",
        "PROMPTREEL_KEEP_GB",
        "--keep-gb",
        "number",
        "0",
        "Gigabytes of pictures and videos above which the longest unused are deleted; 0: no limit.",
    ),
    Setting(
        "keep_jobs_days",
        "PROMPTREEL_KEEP_JOBS_DAYS",
        "--keep-jobs-days",
        "number",
        "0",
        "Days after which a finished job is forgotten, its video with it; 0: never.",
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
    Setting(
        "log_format",
        "PROMPTREEL_LOG_FORMAT",
        "--log-format",
        "choice",
        "text",
        "How a line of the log looks: text for people, json for machines.",
        choices=("text", "json"),
    ),
)
