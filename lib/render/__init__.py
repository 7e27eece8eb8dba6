"""Rendering: Quarto where it can be had, a draft where it cannot, and the freeze kept in step with the results."""
