"""Stand-in servers that check the contract of the real ones; README.md in this folder is their manual."""
