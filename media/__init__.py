"""Evidence bytes and the proofs about them; knows neither the web nor the database."""
