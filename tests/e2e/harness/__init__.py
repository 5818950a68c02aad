"""What the end-to-end tests are made of: real servers that can be killed, the program, a random workload, a comparison."""
from .bench import Bench, binary, long_run
from .daemon import Daemon
from .servers import Unavailable
from .small_disk import SmallDisk
from .waiting import wait_until

__all__ = ["Bench", "Daemon", "SmallDisk", "Unavailable", "binary", "long_run", "wait_until"]
