"""What can go wrong while a graph is made into a pipeline.

ImportFailure            one sentence that says what to do; exit status 1
|-- NotAGraph            the file holds no API graph (and what it is instead)
|-- Lacking              the graph has nothing for what a pipeline needs
|-- Unsure               a person must choose; the sentence holds the --set that chooses
`-- NoSuchPlace          a --set names no widget of the graph; exit status 2
"""

from __future__ import annotations


class ImportFailure(Exception):
    """One sentence that says what is wrong and what to do."""


class NotAGraph(ImportFailure):
    """The file can't be read, or holds no API graph."""


class Lacking(ImportFailure):
    """The graph has nothing for what a pipeline needs. `said` is a sentence without its end;
    `by_hand` tells a person at the command line how to name it.
    """

    def __init__(self, said: str, by_hand: str) -> None:
        super().__init__(f"{said}, or {by_hand}.")
        self.said = said


class Unsure(ImportFailure):
    """The graph can be read in more than one way and nobody is there to ask."""


class NoSuchPlace(ImportFailure):
    """A --set names a node or an input that the graph does not have."""
