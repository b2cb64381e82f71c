"""Tables 3 and 4: VGG-16."""
