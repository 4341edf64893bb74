"""The verifiers of an evidence bundle 证据包: programs that run alone, years later, offline.

The Python modules here are packed into `verify.py` by `media.dossier.program`, so they are written
for Python 3.8 and its standard library; the scripts beside them become `verify.html`, and
`verify.sh` needs a shell, `sha256sum` and `openssl`. All three follow `checks` step by step.
Source: evidence-and-sync 9.
"""
