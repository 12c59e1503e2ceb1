"""The REST service: a picture and a sentence in, a video out, by ComfyUI or by the built-in engine."""
