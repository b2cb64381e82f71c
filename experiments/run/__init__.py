"""How is a run kept?  Folders, rows, records, processes, progress."""
