"""A fictional year, made from one integer and played through the services."""
