"""Rasa graph components, one per file, thin over ``text/``."""
