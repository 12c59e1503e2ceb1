"""The command line: `promptreel serve | pipelines | models`. Imports nothing until it is used."""
