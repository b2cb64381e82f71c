"""The experiment of Tables 3 and 4 on SqueezeNet and real images."""
