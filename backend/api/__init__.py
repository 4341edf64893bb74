"""JSON for phones and integrators: every handler decodes, calls one service, encodes."""
