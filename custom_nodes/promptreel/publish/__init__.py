"""ComfyUI graphs made into pipelines: what a graph takes and makes, its manifest, and binding.

One set of rules for two users: the pack's routes ("Publish as pipeline" in the editor) and the
service, which reaches them by one door, `sidecar/rules.py`. Pure, but for `writing` and `manifest`,
which know a pipeline's two files, and `shelf`, which knows the folder of published ones. Must not
know torch, ComfyUI's modules, aiohttp or the service.
"""
