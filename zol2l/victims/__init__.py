"""Classifiers to attack, the data they learn and their checkpoints."""
