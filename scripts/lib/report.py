#!/usr/bin/python3
"""What a test run came to.  A result is a line "phase<TAB>passed|failed|skipped<TAB>name<TAB>why".

report.py junit PHASE FILE    the results in a ctest JUnit file, as such lines; fails when it holds no test
report.py summary FILE        the counts, every test that failed or was skipped by name with its reason, and the closing line
"""
import re
import sys
import xml.etree.ElementTree as ElementTree


def clean(text, limit=300):
    return " ".join(text.split())[:limit]


def skip_reason(case, output):
    # gtest prints "FILE:LINE: Skipped" and the reason below it; our Python tests "SKIPPED: reason".
    if found := re.search(r": Skipped\n(.+)", output) or re.search(r"^SKIPPED: (.+)", output, re.M):
        return clean(found[1])
    message = case.find("skipped").get("message") if case.find("skipped") is not None else ""
    return clean(message or output) or "no reason given"


def fail_reason(case, output):
    if found := re.search(r"^(.+:\d+: Failure\n(?:.*\n?){1,4})", output, re.M):
        return clean(found[1])
    if found := re.findall(r"^(?:\w+Error|FAILED|ERROR|AssertionError|.*runtime error|.*Sanitizer):? ?.*$", output, re.M):
        return clean(found[-1])
    message = case.find("failure").get("message") if case.find("failure") is not None else ""
    last = output.strip().splitlines()[-1] if output.strip() else ""
    return clean(f"{message} {last}") or "failed"


def junit(phase, path):
    cases = ElementTree.parse(path).getroot().findall(".//testcase")
    for case in cases:
        status = {"run": "passed", "fail": "failed"}.get(case.get("status"), "skipped")
        output = case.findtext("system-out") or ""
        why = ""
        if status == "failed":
            why = fail_reason(case, output)
        elif status == "skipped":
            why = skip_reason(case, output)
            if case.get("status") == "notrun" and re.search(r"_NOT_BUILT$", case.get("name")):
                status, why = "failed", "was not built"
        print(phase, status, case.get("name"), why, sep="\t")
    return 0 if cases else 1


def summary(path):
    rows = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            phase, status, name, why = (line.rstrip("\n").split("\t") + ["", "", ""])[:4]
            rows.append((phase, status, name, why))
    count = {s: sum(r[1] == s for r in rows) for s in ("passed", "failed", "skipped")}
    phases = list(dict.fromkeys(r[0] for r in rows))
    width = max([len(p) for p in phases] + [5])
    for phase in phases:
        mine = [r[1] for r in rows if r[0] == phase]
        print(f"  {phase:<{width}}  {mine.count('passed'):5} passed {mine.count('failed'):4} failed {mine.count('skipped'):4} skipped")
    for status in ("skipped", "failed"):
        if count[status]:
            print(f"\n{status}:")
            for phase, state, name, why in rows:
                if state == status:
                    print(f"  {phase}: {name}" + (f": {why}" if why else ""))
    print(f"\n{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "junit":
        sys.exit(junit(sys.argv[2], sys.argv[3]))
    if len(sys.argv) == 3 and sys.argv[1] == "summary":
        sys.exit(summary(sys.argv[2]))
    sys.exit(__doc__)
