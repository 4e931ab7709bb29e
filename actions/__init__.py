"""Rasa's actions: tracker in, one call, one response id, events out. No prose here."""
