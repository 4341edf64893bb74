"""The scrubber: every night the store is held against the rows, and the rows against the log.

Source: evidence spec 5 (scrubber), 12.8 (retention), 14 row 12. ``pages`` reads rows and objects
side by side, ``judging`` looks at the bytes, ``losses`` says what was lost and to whom it matters,
``running`` does a night's work in slices that a killed worker goes on with.
"""
