"""Looks inside the optimizers' runs: what they estimate, predict and do (ZO-L2L section 4.4)."""
