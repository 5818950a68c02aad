#!/usr/bin/python3
"""compile_flags.py BUILD_FOLDER FILE: the include folders, definitions and language level FILE is compiled with, quoted for a shell."""
import json
import pathlib
import shlex
import sys


def main(folder, file):
    want = pathlib.Path(file).resolve()
    for entry in json.loads((pathlib.Path(folder) / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]) != want:
            continue
        words, keep, i = shlex.split(entry["command"]), [], 0
        while i < len(words):
            if words[i] in ("-I", "-isystem", "-D"):
                keep += words[i:i + 2]
                i += 1
            elif words[i].startswith(("-I", "-D", "-std=")):
                keep.append(words[i])
            i += 1
        print(shlex.join(keep))
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
