"""Frozen records that rows leave the services as; one file a noun."""
