"""The studio: a page that makes videos, for who has a browser; it speaks the public API alone."""
