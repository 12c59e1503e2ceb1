"""A ComfyUI client that knows nothing of jobs, routes, media or pipelines."""
