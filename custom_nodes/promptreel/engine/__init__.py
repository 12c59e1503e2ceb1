"""The pure engine: text to scene, still to frames, frames to a file.

Knows numpy, Pillow, PyAV and, where it is installed, OpenCV. Must not know torch, ComfyUI, HTTP
or the sidecar. Import the module you need (`engine.scene`, ...): nothing is loaded here.
"""
