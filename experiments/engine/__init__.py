"""What runs any study: its description, its rows on disk, where its tasks are computed, and its settings."""
