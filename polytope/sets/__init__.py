"""What is the set?  Domains, half-spaces, layers; no question is answered here."""
