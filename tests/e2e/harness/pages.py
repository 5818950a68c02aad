"""Pages of the documentation that are run as they stand there."""
import re


def blocks(path):
    """[(language, text)] of its fenced blocks, in their order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)


def commands(text):
    """[(command, what it prints)] of a block of the language console."""
    return [(command, output) for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M)]


def statements(text):
    """Those of a block of the language sql."""
    return [s.strip() for s in text.split(";\n") if s.strip()]
