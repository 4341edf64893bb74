"""Signals 疑点提示: one small rule each, over facts that are handed in, told with their numbers.

A signal never rejects anything, changes no state and accuses nobody: a person looks and judges.
What is absent is neutral.  Source: evidence spec 10; thresholds are settings of
`policy/signals.yaml`.
"""
