"""One process at a time is alone on a data folder, and a killed one is not there any more."""

from __future__ import annotations

import asyncio
import sys

from sidecar.folder import claimed


async def test_the_second_is_not_alone_until_the_first_leaves(tmp_path):
    folder = tmp_path / "new" / "data"
    async with claimed(folder) as first, claimed(folder) as second:
        assert (first, second) == (True, False)
    async with claimed(folder) as third:
        assert third


async def test_a_killed_process_holds_nothing(tmp_path):
    code = (
        "import asyncio, pathlib, sys\n"
        "from sidecar.folder import claimed\n"
        "async def main():\n"
        "    async with claimed(pathlib.Path(sys.argv[1])) as alone:\n"
        "        print(alone, flush=True)\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"True\n"
    async with claimed(tmp_path) as alone:
        assert not alone
    process.kill()
    await process.communicate()
    async with claimed(tmp_path) as alone:
        assert alone
