"""Threat models and attacks on classifiers, one protocol for all of them."""
