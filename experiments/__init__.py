"""What the papers ran, one study a module: `python -m experiments` lists them."""
