"""Which images, from where, with which checksum."""
