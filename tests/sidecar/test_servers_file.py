"""Which servers the operator named: addresses with commas, a TOML file, and what is refused."""

from __future__ import annotations

import pytest

from sidecar.pool.rows import ServerRow, read_servers
from sidecar.settings import Settings, SettingsError, load_settings


def of_file(tmp_path, text, **settings):
    path = tmp_path / "servers.toml"
    path.write_text(text, encoding="utf-8")
    return read_servers(Settings(servers_file=str(path), **settings))


def test_addresses_with_commas():
    settings = load_settings([], {"COMFYUI_SERVER_URL": "http://a:1/, http://b:2"})
    assert read_servers(settings) == (
        ServerRow("http://a:1", "a:1", 2),
        ServerRow("http://b:2", "b:2", 2),
    )


def test_one_of_many_addresses_that_is_wrong():
    with pytest.raises(SettingsError, match="COMFYUI_SERVER_URL must be an address"):
        load_settings([], {"COMFYUI_SERVER_URL": "http://a:1,ftp://b"})


def test_nothing_named_looks_here_only():
    (row,) = read_servers(Settings())
    assert (row.url, row.named) == ("http://127.0.0.1:8188", False)
    assert read_servers(Settings(local_comfyui_url="")) == ()


def test_a_file_gives_each_its_own(tmp_path):
    text = """
        [[server]]
        url = "http://a:1/"
        name = "big"
        max_in_flight = 4
        input_dir = "-"
        [[server]]
        url = "http://b:2"
    """
    rows = of_file(tmp_path, text, comfyui_jobs=3, comfyui_url="http://b:2,http://c:3")
    assert set(rows) == {
        ServerRow("http://a:1", "big", 4, "-"),
        ServerRow("http://b:2", "b:2", 3),
        ServerRow("http://c:3", "c:3", 3),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must hold tables"),
        ("server = 1", "must hold tables"),
        ("[[servers]]\nurl='http://a'", "must hold tables"),
        ("[[server]]\nurl=", "is not TOML"),
        ("[[server]]", "server 1: The ComfyUI address"),
        ("[[server]]\nurl='ftp://a'", "server 1: The ComfyUI address"),
        ("[[server]]\nurl='http://a'\nsize=1", "size is not one of url, name"),
        ("[[server]]\nurl='http://a'\nmax_in_flight=0", "max_in_flight must be a whole number"),
        ("[[server]]\nurl='http://a'\nname=1", "name must be a text"),
        ("[[server]]\nurl='http://a'\n[[server]]\nurl='http://a/'", "two servers of the url"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said) as caught:
        of_file(tmp_path, text)
    assert str(caught.value).endswith(".")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="can't be read"):
        read_servers(Settings(servers_file=str(tmp_path / "x.toml")))
