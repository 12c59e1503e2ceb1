"""The work behind `install.py`: environments, the test run, and the pack inside a ComfyUI.

Standard library only. Knows files and processes; must not import the product.
"""
