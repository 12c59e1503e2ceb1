"""The API described: OpenAPI 3.1 out of what checks requests and shapes answers. No second copy."""
