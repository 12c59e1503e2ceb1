"""The ComfyUI servers that share the work: which there are, how they are, who gets a job."""
