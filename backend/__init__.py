"""State: who, when, where kept, who may."""
