"""Attacks on classifiers, one protocol for all of them."""
