"""Backends: what turns a job into files. They know jobs, media, pipelines and one maker."""
