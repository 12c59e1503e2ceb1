"""Who may ask, for how much, and whose is what: keys, allowances, names of files, headers."""
