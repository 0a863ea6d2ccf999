"""Whether it holds: replay of proofs, instances, and the search for counterexamples."""
