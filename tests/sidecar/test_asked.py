"""What a job was asked for is told with it: to who asks for the job, and short in a list."""

from __future__ import annotations

from tests.sidecar.jobs_http import ASYNC, QUICK


async def test_a_job_tells_what_it_was_asked_for(client, upload):
    fields = {**QUICK, "imageUrl": await upload(), "text": "pan left " + "x" * 2000, "seed": "7"}
    response = await client.post("/api/generate", data=fields, headers=ASYNC)
    job = await response.json()
    assert "request" not in job, "who asked knows"
    shown = (await (await client.get(f"/api/jobs/{job['id']}")).json())["request"]
    assert (shown["imageUrl"], shown["text"]) == (fields["imageUrl"], fields["text"])
    assert shown["parameters"]["seed"] == 7
    assert shown["parameters"]["resolution"] == QUICK["resolution"]
    (listed,) = (await (await client.get("/api/jobs")).json())["jobs"]
    assert listed["request"] == {**shown, "text": fields["text"][:1000]}
    canceled = await (await client.post(f"/api/jobs/{job['id']}/cancel")).json()
    assert canceled["request"] == shown
