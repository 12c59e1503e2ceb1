"""A service (the sidecar) that this ComfyUI starts for its user: what to start, and one child.

Knows processes. Must not know HTTP, ComfyUI's modules, or what the service does: it is another
program, started by its command line.
"""
