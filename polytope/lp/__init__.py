"""How is a linear program solved exactly?  Floats propose, exact arithmetic proves."""
