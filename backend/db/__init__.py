"""Where state is kept: engine, tables, migrations; knows no rule and no HTTP."""
