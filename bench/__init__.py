"""Measured comparisons: `python -m bench.render` and its parts print ratios within one run."""
