"""What the machine has and what ran on it: memory, commit, versions."""
