"""zol2l: learned zeroth-order optimization."""
