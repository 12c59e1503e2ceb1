"""What talking to a ComfyUI can fail with.

ComfyError
|-- Unreachable      nothing was asked: the server can't be reached, or a read got no answer
|-- UnknownOutcome   a POST may have been carried out: its answer was lost, look before repeating
|-- BadAnswer        something answered, but not as a ComfyUI does
|-- NotFound         the file or route is not there
|-- Rejected         ComfyUI refuses the graph; `error` and `node_errors` as it sent them
|-- TooLarge         a file is larger than the limit
`-- RunFailed        the prompt ended badly; `error` is the JobError to show

Must not know jobs, pipelines or HTTP routes of the sidecar. Messages hold no path and no traceback.
"""

from __future__ import annotations

from sidecar.values import JobError, Json


class ComfyError(Exception):
    """Base of everything raised by `sidecar.comfy`."""


class Unreachable(ComfyError):
    """The server can't be reached, or does not answer a read.

    `refused`: its machine is there, and says that nothing listens at that port.
    """

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class UnknownOutcome(ComfyError):
    """The answer to a POST was lost; it may have been carried out."""


class BadAnswer(ComfyError):
    """The answer is not one of a ComfyUI."""


class NotFound(ComfyError):
    """There is no such file or route."""


class TooLarge(ComfyError):
    """A file is larger than the limit."""


class Rejected(ComfyError):
    """ComfyUI refuses the graph."""

    def __init__(self, message: str, *, error: Json, node_errors: Json) -> None:
        super().__init__(message)
        self.error = error
        self.node_errors = node_errors


class RunFailed(ComfyError):
    """A prompt ended badly; `error` can be shown to the client as it is."""

    def __init__(self, error: JobError) -> None:
        super().__init__(error.error)
        self.error = error
