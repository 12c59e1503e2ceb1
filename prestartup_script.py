"""For a clone of this repository straight into ComfyUI/custom_nodes: show ComfyUI the pack inside.

ComfyUI runs this before it looks for nodes. The pack then loads from its own folder under its own
name, exactly as if it had been installed alone.
"""

import logging
from pathlib import Path

import folder_paths  # pyright: ignore[reportMissingImports]  # ComfyUI has it

PACK = "promptreel"


def show_pack() -> None:
    """Add this repository's custom_nodes folder, unless the pack is installed elsewhere too."""
    inner = Path(__file__).resolve().parent / "custom_nodes"
    packs = [Path(base) / PACK for base in folder_paths.get_folder_paths("custom_nodes")]
    other = next((pack for pack in packs if (pack / "engine").is_dir()), None)
    if other and other.resolve() != inner / PACK:
        logging.getLogger(__name__).warning(
            "PromptReel is installed twice: %s is used. Remove one.", other
        )
        return
    folder_paths.add_model_folder_path("custom_nodes", str(inner))


show_pack()
