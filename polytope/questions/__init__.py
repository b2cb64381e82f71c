"""Empty? Which dimension? How low? How near?  One question a module."""
