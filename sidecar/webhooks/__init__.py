"""Telling a client's address that a job is over: Standard Webhooks, stored until they arrive."""
