"""PromptReel for ComfyUI: a picture and a sentence become a video.

Imports nothing here: ComfyUI asks for the nodes when it is ready, and programs that only want
`promptreel.engine` get it without torch.
"""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():  # noqa: ANN201  its type lives in comfy_api, which is not imported here
    """Return the extension with the pack's nodes. Called once, by ComfyUI."""
    from .nodes import PromptReelExtension  # noqa: PLC0415  only inside ComfyUI is there a torch
    from .routes import register, running_server  # noqa: PLC0415

    register(running_server())
    return PromptReelExtension()
