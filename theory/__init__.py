"""What is claimed: statements, their assumptions, and the bounds that users import."""
