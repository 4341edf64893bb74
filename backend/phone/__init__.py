"""The inspector's phone: its application and its build live here; the field API serves it."""
