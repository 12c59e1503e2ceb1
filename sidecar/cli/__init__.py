"""The command line: `promptreel serve | render | pipelines | models | doctor | keys | completion`.

Imports nothing until it is used.
"""
