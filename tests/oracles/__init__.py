"""Who else knows the answer?  Engines and judges that share no code with the package."""
