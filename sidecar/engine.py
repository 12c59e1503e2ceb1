"""The one place of the sidecar that knows where the pack and its pure engine live.

Everything the sidecar needs of the engine is re-exported here; no other file names the pack.
"""
