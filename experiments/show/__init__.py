"""How is it shown?  Tables, numbers, pages, figures."""
