"""Evidence bundles 证据包: which files, which records, one spelling of the container; pure."""
