"""Backup 备份 and restore: one folder of content and sets, whole or not there at all.

Source: evidence spec 8 (logical restore), 12.3 (keys outside), 13 (restore drill), 14 (24, 31).
``objects/ab/<sha256>`` holds bytes once, whatever they are called; ``sets/<time>/`` holds one
backup: ``database.dump``, ``objects.jsonl.gz``, the certificates that time stamps are held to and,
written last, ``manifest.json`` with the sums of them. ``taking`` writes, ``checking`` reads back,
``restoring`` brings an office back.
"""
