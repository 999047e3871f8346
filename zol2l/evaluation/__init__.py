"""How methods are compared: protocol, results, statistics."""
