"""Figures: one function each, drawn from results files alone."""
