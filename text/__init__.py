"""Reading a message: normalising, scripts, language, danger lists. No Rasa in it."""
