"""One verb a function: load, ask the rules, save, record, in one transaction without network."""
