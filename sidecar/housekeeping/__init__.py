"""What nobody needs any more is deleted: old jobs and files, leftovers, inputs in ComfyUI."""
