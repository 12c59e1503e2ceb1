"""The REST service: a picture and a sentence in, a video out, by ComfyUI or our own engine."""
