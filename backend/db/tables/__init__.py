"""One file a noun; every column says its default, every key its deletion rule."""
