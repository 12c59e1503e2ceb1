"""What every HTTP exchange has, whatever it is about: bodies, refusals, patience, answers' shapes.

Knows aiohttp. Must not know which routes there are: those are in `api`.
"""
