"""Records: rows and how long they stay. SQLAlchemy only; gets its engine as an argument."""
