"""What every answer says to browsers: what it is, who may frame, embed or run it.

Answers of the API and files are data: nothing in them is ever run, not even if a browser took one
for a page. Knows headers only.
"""

from __future__ import annotations

from collections.abc import MutableMapping

from aiohttp import web

from sidecar.http.answers import FILES

# A picture or video that is opened by itself is shown by a page of the browser's own, which has
# styles inside and the file as its source. No sandbox: Chromium would then take that page for
# another origin and refuse it the video.
_SHOWN_POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'"
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # names of files are all that is asked for them
}
_SERVER = "PromptReel"  # and not which versions of what it is made of
# What an answer says that is given before there is a request (bytes that are no HTTP).
BARE = {
    "Server": _SERVER,
    **_COMMON,
    "Content-Security-Policy": _DATA_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SHOWN = ("image/", "video/")


def secure(request: web.Request, headers: MutableMapping[str, str], *, shared: bool) -> None:
    """Add what is missing. `shared`: pages of other origins may show files (some are listed)."""
    file = request.path.startswith(FILES) and not _is(headers, "application/json")
    shown = file and _is(headers, *_SHOWN)
    headers["Server"] = _SERVER
    for name, value in _COMMON.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", _SHOWN_POLICY if shown else _DATA_POLICY)
    embeds = "cross-origin" if file and shared else "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", embeds)
    if not file:
        headers.setdefault("Cache-Control", "no-store")
    elif not shown and "Content-Type" in headers:  # a 304 has none
        headers.setdefault("Content-Disposition", "attachment")


def _is(headers: MutableMapping[str, str], *kinds: str) -> bool:
    return headers.get("Content-Type", "").startswith(kinds)


def page_headers(*, inline_styles: bool = False) -> dict[str, str]:
    """Return the headers of an HTML page of ours: scripts and all else from files of ours alone.

    `inline_styles`: for a library that writes style attributes; scripts are never inline.
    """
    styles = "style-src 'self' 'unsafe-inline'" if inline_styles else "style-src 'self'"
    policy = (
        "default-src 'none'; script-src 'self'; connect-src 'self'; "
        f"{styles}; font-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        **_COMMON,
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
