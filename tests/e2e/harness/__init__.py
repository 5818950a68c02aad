"""What the end-to-end tests are made of: real servers that can be killed, the program, a random workload, a comparison."""
from .bench import Bench, binary, long_run
from .daemon import Daemon
from .servers import Unavailable
from .waiting import wait_until

__all__ = ["Bench", "Daemon", "Unavailable", "binary", "long_run", "wait_until"]
