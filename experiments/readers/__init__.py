"""Is a stranger's file what it says?"""
