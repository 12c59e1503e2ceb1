"""Settings are rows: each is read from flag and environment, and refused when it can't be used."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from sidecar.settings import (
    Settings,
    SettingsError,
    check_bind,
    is_loopback,
    load_settings,
    misspelt,
    parser,
)
from sidecar.settings_table import SETTINGS

GOOD = {
    "text": ("localhost", "localhost"),
    "secret": ("s3cret", "s3cret"),
    "integer": ("7", 7),
    "number": ("7.5", 7.5),
    "flag": ("yes", True),
    "path": ("/tmp/x", Path("/tmp/x")),
    "url": ("http://host:1/", "http://host:1"),
    "urls": ("http://a:1/, http://b", "http://a:1,http://b"),
    "secrets": (f"whsec_{'a' * 40}", (f"whsec_{'a' * 40}",)),
    "list": ("a, b,", ("a", "b")),
    "origins": ("https://A.example", ("https://a.example",)),
    "servers": ("gpu:8188, http://b", ("gpu:8188", "http://b")),
}
BAD = {
    "integer": ["x", "7.5", "-1", "nan"],
    "number": ["x", "nan", "inf", "-1"],
    "flag": ["maybe"],
    "url": ["host:1", "ftp://x", "http://", "http://x:99999"],
    "urls": ["host:1", "http://a,ftp://b"],
    "secrets": ["whsec_a", "a" * 40],
    "choice": ["other"],
    "origins": ["*", "studio.example"],
    "servers": ["ftp://x"],
}


def test_the_rows_and_the_value_agree():
    assert [row.name for row in SETTINGS] == [field.name for field in fields(Settings)]
    assert load_settings([], {}) == Settings()


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)
def test_each_row_is_read_from_the_environment_and_its_flag_wins(row):
    text, value = GOOD.get(row.kind, (row.choices[-1:] or [""])[0:1] * 2)
    assert getattr(load_settings([], {row.env: text}), row.name) == value
    assert row.help.endswith(".")
    if row.flag is None:
        assert row.env not in parser().format_help().replace(row.name, "")
        return
    flags = [row.flag] if row.kind == "flag" else [row.flag, text]
    assert getattr(load_settings(flags, {row.env: ""}), row.name) == value
    assert row.env in parser().format_help()


@pytest.mark.parametrize(
    ("row", "text"),
    [(row, text) for row in SETTINGS for text in BAD.get(row.kind, ())],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_wrong_value_is_refused_with_the_variables_name(row, text):
    with pytest.raises(SettingsError, match=row.env):
        load_settings([], {row.env: text})


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (row, text)
        for row in SETTINGS
        if row.flag is not None and row.kind != "flag"
        for text in BAD.get(row.kind, ())
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_wrong_value_of_a_flag_is_refused_with_the_flags_name(row, text):
    with pytest.raises(SettingsError) as raised:
        load_settings([f"{row.flag}={text}"], {row.env: text})
    assert str(raised.value).startswith(f"{row.flag} must be ")
    assert row.env not in str(raised.value)


def test_the_refusal_of_a_number_names_its_limits():
    with pytest.raises(SettingsError, match="must be 0 to 65535, not 99999"):
        load_settings([], {"PROMPTREEL_PORT": "99999"})
    with pytest.raises(SettingsError, match="must be at least 1, not 0"):
        load_settings([], {"PROMPTREEL_DEMO_JOBS": "0"})


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_means_absent(blank):
    assert load_settings([], {"PROMPTREEL_PORT": blank}).port == 8190


def test_a_blank_address_of_a_local_comfyui_looks_nowhere():
    """As its help says, and as the Docker image sets it."""
    assert load_settings([], {"PROMPTREEL_LOCAL_COMFYUI_URL": ""}).local_comfyui_url == ""
    assert load_settings([], {}).local_comfyui_url == "http://127.0.0.1:8188"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_a_bind_beyond_this_machine_needs_a_key_or_a_word(host):
    with pytest.raises(SettingsError, match="PROMPTREEL_API_KEY"):
        check_bind(Settings(host=host))
    check_bind(Settings(host=host, api_key="k"))
    check_bind(Settings(host=host, insecure=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1", "[::1]"])
def test_loopback_needs_no_key(host):
    assert is_loopback(host)
    check_bind(Settings(host=host))


@pytest.mark.parametrize(
    "host", ["localhost.evil.example", "127.0.0.1.nip.io", "2130706433", "127.1", "0.0.0.0"]
)
def test_what_only_looks_like_loopback_is_not(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["PROMPTREEL_PORT", "PROMPTREEL_TEST_CACHE", "HOME", "COMFYUI_SERVER_URL"], ""),
        (["PROMPTREEL_PROT"], "PROMPTREEL_PROT (did you mean PROMPTREEL_PORT?)."),
        (["promptreel_port"], "promptreel_port (did you mean PROMPTREEL_PORT?)."),
        (["PROMPTREEL_ZZZZZZZZZZZZ"], "change nothing: PROMPTREEL_ZZZZZZZZZZZZ."),
        (
            ["PROMPTREEL_MODEE", "PROMPTREEL_HOSST"],
            "nothing: PROMPTREEL_HOSST (did you mean PROMPTREEL_HOST?), PROMPTREEL_MODEE (did",
        ),
    ],
)
def test_what_looks_like_a_setting_and_is_none_is_told_without_its_value(names, said):
    told = misspelt(dict.fromkeys(names, "secret"))
    assert said in told
    assert bool(told) is bool(said)
    assert "secret" not in told
    assert "\n" not in told


def test_a_flags_help_shows_no_default():
    text = " ".join(parser().format_help().split())
    assert "API key. (environment: PROMPTREEL_INSECURE=1)" in text
