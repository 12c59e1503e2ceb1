"""A ComfyUI graph that somebody exported, or that lies in a saved file, made into a pipeline.

Knows graphs and the meaning of nodes' inputs. Must not know the service: what it writes is a folder
that `sidecar.manifest` reads.
"""
