"""``python -m specc``, the same as the command ``specc``."""

from specc.cli import command

if __name__ == "__main__":
    command()
