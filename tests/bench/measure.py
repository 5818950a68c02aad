"""What the kernel tells of processes, and what the program tells of itself."""
import collections
import os
import platform
import re

TICK = os.sysconf("SC_CLK_TCK")


def _cpu_of(stat):
    name = stat[stat.index("(") + 1:stat.rindex(")")]
    fields = stat[stat.rindex(")") + 2:].split()
    return name, (int(fields[11]) + int(fields[12])) / TICK


def process_cpu(pid):
    """CPU seconds so far."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return _cpu_of(file.read())[1]


def thread_cpu(pid):
    """{thread name: CPU seconds so far} of the threads that live."""
    out = collections.Counter()
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="utf-8") as file:
                name, seconds = _cpu_of(file.read())
        except OSError:
            continue  # ended meanwhile
        out[name] += seconds
    return out


def machine_cpu():
    """CPU seconds that all processes of the machine have used."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICK


def peak_rss(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) * 1024
    return {"cores": len(os.sched_getaffinity(0)), "cpu": model, "memory_bytes": memory, "kernel": platform.release(),
            "load_average_before": [round(x, 2) for x in os.getloadavg()]}


class CpuMeter:
    """CPU seconds of the servers and everybody else from here to stop(), and of a program that is started after this."""

    def __init__(self, servers):
        self.servers = servers
        self.machine_before = machine_cpu()
        self.before = {name: process_cpu(pid) for name, pid in servers.items()}

    def stop(self, program_pid):
        threads = thread_cpu(program_pid)
        used = {"sluice": process_cpu(program_pid), **{name: process_cpu(pid) - self.before[name] for name, pid in self.servers.items()}}
        others = machine_cpu() - self.machine_before - sum(used.values())
        return {**{name: round(seconds, 2) for name, seconds in used.items()}, "everything_else": round(max(0.0, others), 2),
                "sluice_threads": {name: round(seconds, 2) for name, seconds in threads.most_common() if seconds >= 0.01}}


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else None


def status_lines(text):
    """[{field: text}] of the status lines of a log."""
    return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in text.splitlines() if " state=" in line]
