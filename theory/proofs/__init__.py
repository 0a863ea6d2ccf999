"""Proofs that take more than a few steps, by paper; a claim names the function that builds its own."""
