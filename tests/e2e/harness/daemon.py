"""The program under test, as a process that can be killed and frozen."""
import json
import os
import pathlib
import signal
import subprocess
import threading

import yaml

from .waiting import wait_until


class Daemon:
    def __init__(self, binary, folder, config, run_root):
        self.binary, self.folder = str(binary), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config, self.log = self.folder / "sluice.yaml", self.folder / "sluice.log"
        self.state_folder = pathlib.Path(config["state_dir"])
        self.config.write_text(yaml.safe_dump(config))
        self.config.chmod(0o600)
        # The mark by which scripts/servers knows a process of this run.
        self.env = {**os.environ, "SLUICE_SERVER_OF": str(run_root)}
        self.process = None
        self.peak_rss = 0  # bytes, of all processes so far
        self._stop_sampling = threading.Event()
        self._sampler = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.thaw()
            self.kill()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.binary, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env=self.env)
        self._stop_sampling = threading.Event()
        self._sampler = threading.Thread(target=self._sample, args=(self.process.pid, self._stop_sampling), daemon=True)
        self._sampler.start()
        return self

    def _sample(self, pid, stop):
        while not stop.wait(0.2):
            try:
                with open(f"/proc/{pid}/status", encoding="ascii") as file:
                    for line in file:
                        if line.startswith("VmRSS:"):
                            self.peak_rss = max(self.peak_rss, int(line.split()[1]) * 1024)
            except OSError:
                return

    def _ended(self):
        self._stop_sampling.set()
        self._sampler.join()

    def check_alive(self):
        code = self.process.poll()
        if code is not None:
            raise AssertionError(f"sluice ended with {code}:\n{self.tail()}")

    def kill(self):
        self.process.kill()
        self.process.wait(30)
        self._ended()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def terminate(self):
        """SIGTERM, as soon as it is an order to stop; it may go on for a while."""
        wait_until(lambda: self.process.poll() is not None or self._takes_orders(), 60, lambda: f"a start\n{self.tail()}")
        self.check_alive()
        self.process.terminate()

    def stop(self, seconds=60):
        """SIGTERM, and the end; the exit code."""
        self.terminate()
        wait_until(lambda: self.process.poll() is not None, seconds, lambda: f"end after SIGTERM\n{self.tail()}")
        self._ended()
        return self.process.returncode

    def _takes_orders(self):
        """Whether it has come to where SIGTERM is blocked, to be read as an order: a process that has only just begun is killed by it."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            blocked = next(line.split()[1] for line in file if line.startswith("SigBlk:"))
        return bool(int(blocked, 16) >> (signal.SIGTERM - 1) & 1)

    def wait_for_end(self, seconds):
        """Until it ends by itself; the exit code."""
        wait_until(lambda: self.process.poll() is not None, seconds, lambda: f"an end\n{self.tail()}")
        self._ended()
        return self.process.returncode

    def memory(self):
        """Bytes resident now."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        """Used by all its threads so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def saved_position(self):
        """(file, pos) of the state file."""
        state = json.loads((self.state_folder / "state.json").read_text())
        return state["file"], state["pos"]

    def command(self, *words, seconds=60):
        """Another command of the program with the same configuration; its CompletedProcess."""
        return subprocess.run([self.binary, *words, "--config", self.config], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=seconds, env=self.env)

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def status(self):
        """The last status line."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if " status   state=" in line]
        return lines[-1] if lines else ""

    def log_lines(self, level):
        return [line for line in self.log.read_text(errors="replace").splitlines() if f" {level}" in line[:34]]
