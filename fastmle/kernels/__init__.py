"""Compiled passes: the fold over rows, the Gram of a tile, the table of counts, and their exact addition."""
