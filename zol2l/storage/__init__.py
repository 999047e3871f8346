"""The one place where files are: read, written whole, locked, named by what made them."""
