"""How large is the set, and of which shape?"""
