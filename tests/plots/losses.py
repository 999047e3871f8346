"""Results tables for figures of losses."""

import numpy as np
import pandas as pd


def frame(losses, cost=3):
    """Results of methods whose losses (instances, trials, iterates) are given."""
    parts = []
    for method, values in losses.items():
        loss = np.asarray(values, dtype=float)
        instance, trial, step = (index.ravel() for index in np.indices(loss.shape))
        keys = {"method": method, "instance": instance, "trial": trial, "step": step}
        parts.append(pd.DataFrame({**keys, "queries": step * cost + 1, "loss": loss.ravel()}))
    results = pd.concat(parts, ignore_index=True)
    results["method"] = pd.Categorical(results["method"], categories=list(losses), ordered=True)
    return results
