"""The gateway: the only part that faces the internet, and the only one that can read a chat id."""
