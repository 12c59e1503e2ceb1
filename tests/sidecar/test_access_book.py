"""API keys: what is kept of them, what the command line says, and when a change counts."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import sys
from asyncio import to_thread

import pytest

from sidecar.access.book import FILE, BookError, KeyBook, digest
from sidecar.access.callers import ANYBODY, MASTER, Allowance
from sidecar.access.door import FRESH_S, Access
from sidecar.access.rates import Rates
from sidecar.cli.program import main
from sidecar.errors import TooManyRequests, Unauthorized, Unavailable
from sidecar.media import is_key
from sidecar.settings import Settings, SettingsError, check_bind


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def book(tmp_path):
    return KeyBook(tmp_path)


@pytest.fixture
def access(tmp_path, clock):
    """Return a function that gives the door as a service has it."""
    return lambda master="": Access(tmp_path, master, clock)


def bearer(key: str) -> str:
    return f"Bearer {key}"


def test_a_key_is_long_random_and_kept_as_its_digest_alone(book, tmp_path):
    keys = {book.add(f"k{n}", Allowance()) for n in range(50)}
    assert len(keys) == 50
    for key in keys:
        assert key.startswith("pr_")
        assert len(key) == 46
        assert key.isascii()
        assert key[3:].isalnum()
    kept = (tmp_path / FILE).read_bytes()
    for key, row in zip(
        sorted(keys, key=digest), sorted(book.rows(), key=lambda row: row.digest), strict=True
    ):
        assert key.encode() not in kept
        assert row.digest == digest(key)
        assert row.hint == key[:7]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bits")
def test_the_file_is_for_its_owners_eyes(book, tmp_path):
    before = os.umask(0)
    try:
        book.add("a", Allowance())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or bool(os.geteuid()), reason="only root can give files"
)
def test_what_root_makes_belongs_to_who_serves(tmp_path):
    """A service of its own user could not read a file of root's, and would let nobody in."""
    os.chown(tmp_path, 12345, 23456)
    KeyBook(tmp_path).add("a", Allowance())
    made = (tmp_path / FILE).stat()
    assert (made.st_uid, made.st_gid) == (12345, 23456)
    assert {path.name for path in tmp_path.iterdir()} == {FILE}


@pytest.mark.parametrize(
    "name", ["", "A", "a b", "../x", "a" * 41, "default", "-a", "?", "a\n", "\u0430"]
)
def test_a_name_that_can_not_be(book, name):
    with pytest.raises(BookError):
        book.add(name, Allowance())
    assert book.rows() == []


def test_a_name_has_one_key_at_a_time(book):
    first = book.add("ann", Allowance(1, 2, 3))
    with pytest.raises(BookError, match="revoke it first"):
        book.add("ann", Allowance())
    book.revoke("ann")
    with pytest.raises(BookError, match="no key 'ann'"):
        book.revoke("ann")
    assert book.add("ann", Allowance()) != first
    assert [row.revoked_at is None for row in book.rows()] == [False, True]
    assert book.rows()[0].allowance == Allowance(1, 2, 3)


def test_looking_makes_no_file(book, tmp_path):
    assert book.rows() == []
    with pytest.raises(BookError):
        book.revoke("ann")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_holds_no_keys_and_a_damaged_one_is_an_error(book, tmp_path):
    (tmp_path / FILE).touch()
    assert book.rows() == []
    (tmp_path / FILE).write_bytes(b"no database, but long enough to be taken for one" * 30)
    for act in (book.rows, book.secret, lambda: book.add("ann", Allowance())):
        with pytest.raises(BookError, match=r"keys\.db"):
            act()


def test_the_secret_stays(book):
    assert book.secret() == book.secret()
    assert len(book.secret()) == 64


async def test_without_keys_anybody_may(access):
    door = access()
    assert await door.caller("") is ANYBODY
    assert await door.caller("Bearer whatever") is ANYBODY
    assert not door.locked
    assert door.names(ANYBODY) is None


async def test_the_key_of_the_environment_is_default_and_owns_what_was_there(access):
    door = access("s3cret")
    assert await door.caller("Bearer s3cret") is MASTER
    assert (MASTER.name, MASTER.tenant) == ("default", "")
    for given in ("", "Bearer s3cre", "Basic s3cret", "Bearer \udcff", "Bearer \u043a"):
        with pytest.raises(Unauthorized):
            await door.caller(given)


async def test_keys_that_come_and_go_count_without_a_restart(access, book, clock):
    door = access()
    assert await door.caller("") is ANYBODY
    ann, bob = (
        await to_thread(book.add, "ann", Allowance(7)),
        await to_thread(book.add, "bob", Allowance()),
    )
    clock.now += FRESH_S
    with pytest.raises(Unauthorized):
        await door.caller("")
    caller = await door.caller(bearer(ann))
    assert (caller.name, caller.tenant, caller.allowance) == ("ann", "ann", Allowance(7))
    await to_thread(book.revoke, "ann")
    clock.now += FRESH_S
    with pytest.raises(Unauthorized):
        await door.caller(bearer(ann))
    assert (await door.caller(bearer(bob))).name == "bob"


async def test_when_the_last_key_goes_nobody_comes_in(access, book, clock, tmp_path):
    door = access()
    key = await to_thread(book.add, "ann", Allowance())
    await to_thread(book.revoke, "ann")
    for given in ("", bearer(key)):
        with pytest.raises(Unauthorized):
            await door.caller(given)
    (tmp_path / FILE).unlink()
    clock.now += FRESH_S
    with pytest.raises(Unauthorized):
        await door.caller("")
    assert await access().caller("") is ANYBODY


async def test_a_file_of_keys_that_can_not_be_read_lets_nobody_in(access, book, clock, tmp_path):
    door, key = access(), await to_thread(book.add, "ann", Allowance())
    assert (await door.caller(bearer(key))).name == "ann"
    (tmp_path / FILE).write_bytes(b"damaged" * 1000)
    clock.now += FRESH_S
    with pytest.raises(Unavailable) as caught:
        await door.caller(bearer(key))
    assert caught.value.code == "keys_unreadable"


async def test_each_owner_has_names_of_their_own_for_a_picture(access, book):
    door = access("s3cret")
    ann = await door.caller(bearer(await to_thread(book.add, "ann", Allowance())))
    picture, names = "d" * 64, [door.names(ann), door.names(MASTER)]
    named = {one.name(picture) for one in names if one is not None}
    assert len(named) == 2
    for one in names:
        assert one is not None
        assert one.name(picture) == one.name(picture) != one.name("e" * 64)
        assert one.name(picture).startswith(one.prefix)
        assert is_key(f"{one.name(picture)}.png")
        assert picture[:16] not in one.name(picture)


def test_a_bucket_gives_a_minutes_worth_and_then_trickles():
    clock = Clock()
    rates = Rates(clock)
    assert [rates.spend("a", 3) for _ in range(4)] == [0, 0, 0, pytest.approx(20)]
    assert rates.spend("b", 3) == 0
    clock.now += 19
    assert rates.spend("a", 3) == pytest.approx(1)
    clock.now += 1.001
    assert rates.spend("a", 3) == 0
    clock.now += 3600
    assert [rates.spend("a", 3) > 0 for _ in range(4)] == [False, False, False, True]
    assert not any(rates.spend("a", 0) for _ in range(99))


async def test_the_wait_that_is_told_is_long_enough(access, book, clock):
    door = access()
    caller = await door.caller(
        bearer(await to_thread(book.add, "ann", Allowance(requests_per_minute=7)))
    )
    for _ in range(7):
        door.admit(caller)
    with pytest.raises(TooManyRequests) as caught:
        door.admit(caller)
    assert caught.value.code == "rate_limited"
    clock.now += int(caught.value.headers["Retry-After"])
    door.admit(caller)


@pytest.fixture
def keys(tmp_path, capsys, monkeypatch):
    """Return a function that runs `promptreel keys ...` and gives status, output and complaint."""
    monkeypatch.delenv("PROMPTREEL_DATA_DIR", raising=False)

    def act(*arguments: str, folder: bool = True):
        where = ["--data-dir", str(tmp_path / "data")] if folder else []
        status = main(["keys", *arguments, *where])
        said = capsys.readouterr()
        return status, said.out, said.err

    return act


def test_a_keys_life_on_the_command_line(keys, tmp_path):
    assert "There are no keys" in keys("list")[1]
    status, out, _ = keys("add", "ann", "--max-queued", "5", "--max-storage-mb", "100")
    assert status == 0
    key = out.split()[0]
    row = KeyBook(tmp_path / "data").rows()[0]
    assert (row.digest, row.allowance) == (digest(key), Allowance(5, 100, 0))
    listed = keys("list")[1]
    assert key not in listed
    assert all(word in listed for word in ("ann", key[:7], "100 MB", "5", "any"))
    assert keys("add", "ann") == (
        1,
        "",
        "promptreel: There is a key 'ann' already: revoke it first.\n",
    )
    status, out, _ = keys("revoke", "ann")
    assert (status, "No key is left" in out) == (0, True)
    assert keys("revoke", "ann")[0] == 1
    (shown,) = json.loads(keys("list", "--json")[1])
    assert (shown["name"], shown["max_queued"]) == ("ann", 5)
    assert shown["revoked"]
    assert "No key is left" in keys("list")[1]


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "9" * 30, ""])
def test_a_limit_is_a_whole_number(keys, value):
    status, _, err = keys("add", "ann", f"--max-queued={value}")
    assert (status, "whole number" in err) == (2, True)


def test_the_folder_comes_from_the_environment_too(keys, tmp_path, monkeypatch):
    monkeypatch.setenv("PROMPTREEL_DATA_DIR", str(tmp_path / "other"))
    assert keys("add", "ann", folder=False)[0] == 0
    assert (tmp_path / "other" / FILE).is_file()


def test_a_folder_that_can_not_be_made_is_one_sentence(keys, tmp_path):
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    status, _, err = keys("add", "ann")
    assert (status, err.count("\n")) == (1, 1)


def test_a_key_in_the_folder_is_enough_to_listen_beyond_this_machine(tmp_path):
    wide = Settings(host="0.0.0.0", data_dir=tmp_path)
    with pytest.raises(SettingsError, match="keys add"):
        check_bind(wide)
    KeyBook(tmp_path).secret()
    with pytest.raises(SettingsError, match="keys add"):
        check_bind(wide)
    KeyBook(tmp_path).add("ann", Allowance())
    check_bind(wide)
    KeyBook(tmp_path).revoke("ann")
    check_bind(wide)  # it asks for a key, which nobody has
    (tmp_path / FILE).write_bytes(b"damaged" * 1000)
    with pytest.raises(SettingsError, match=r"keys\.db"):
        check_bind(wide)


def test_another_process_that_writes_is_waited_for(book, tmp_path):
    book.add("ann", Allowance())
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("begin immediate")
        assert len(book.rows()) == 1
        other.rollback()
    other.close()
