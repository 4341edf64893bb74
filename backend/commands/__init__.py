"""The verbs of the command line, one file each; loaded when called, so processes stay small."""
