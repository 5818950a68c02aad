"""The log lines of docs/operate.md, which must stand there word for word."""
import pathlib
import re

MANUAL = pathlib.Path(__file__).resolve().parents[3] / "docs" / "operate.md"


def general(text):
    """The text without what differs from run to run."""
    text = re.sub(r"^\S+Z ", "", text)
    for pattern, name in ((r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"), (r"\b(127\.0\.0\.1|db\.example\.org):\d+", "HOST"),
                          (r"\(host [^)]*\)", "(host X)"), (r"(mariadb|mysql) \d.*?(?=, and this)", r"\1 VERSION"),
                          (r"\be2e\.", "shop."), (r"base name was \w+, is \w+", "base name was X, is Y"),
                          (r"UUID(:\d+(-\d+)?)+", "GTID"), (r"\b\d+-\d+-\d+(,\d+-\d+-\d+)*", "GTID"), (r"\d+", "N")):
        text = re.sub(pattern, name, text)
    return " ".join(text.split())


def manual_lines():
    """The log lines of the manual."""
    blocks = re.findall(r"^```\n(.*?)^```", MANUAL.read_text(encoding="utf-8"), re.M | re.S)
    return {general(line) for block in blocks for line in block.splitlines()}
