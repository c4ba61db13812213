"""Files that releases wrote, which every later one loads."""

from pathlib import Path

FOLDER = Path(__file__).parent
