"""Backends: what turns a job into files. They know jobs' payloads, media, pipelines and one maker."""
