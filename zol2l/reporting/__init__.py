"""Reports over many run folders: tidy values, intervals over seeds, paired comparisons."""
