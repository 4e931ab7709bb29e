"""What people read: languages, answers, translations, safety texts. Babel and YAML only."""
