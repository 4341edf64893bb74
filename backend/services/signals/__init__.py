"""Signals 疑点提示: what looks odd about a visit or a reply, for people to judge.

A signal never rejects anything and changes no state.  The rules are ``inspection_plans.signals``;
here their facts are loaded (``facts``), their answers kept (``keep``) and shown (``reading``).
"""
