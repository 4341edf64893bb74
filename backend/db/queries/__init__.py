"""SQL that is long or shared, one file a noun; parameters only, nothing is pasted in."""
