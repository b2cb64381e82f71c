"""How fast are we, beside the peers?  Medians and ratios from one run of `collide bench NAME`."""
