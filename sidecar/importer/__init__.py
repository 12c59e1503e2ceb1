"""`promptreel pipelines add`: a graph that lies in a file, and the person who gives it.

Knows files, options and questions. What a graph takes and makes are the pack's rules
(`sidecar.rules`). Must not know the service: what it writes is a folder that `sidecar.manifest`
reads.
"""
