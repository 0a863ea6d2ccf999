"""Convex programs, one a file; each result carries a dual certificate that is checked without the solver."""
