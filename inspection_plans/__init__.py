"""The rules: five notices as data, and pure functions over them; no I/O, clock or randomness."""
