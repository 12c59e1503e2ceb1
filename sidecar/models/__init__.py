"""Model files on disk: what a pipeline needs, what a ComfyUI folder has, and the download.

errors    what went wrong, as a sentence
folders   where a ComfyUI keeps its models
needs     what is there of what a pipeline needs
hub       the Hugging Face Hub; the only file that knows its library
download  one file: resumed, checked, moved into place
pull      all files of a pipeline
"""
