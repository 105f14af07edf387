"""Fits and states as JSON: versioned, exact, and read without running code."""
