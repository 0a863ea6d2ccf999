"""The statements, one module a paper; `theory.registry` collects them."""
