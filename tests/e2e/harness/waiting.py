"""Every wait of these tests is for a condition, and ends."""
import time


class TimedOut(AssertionError):
    pass


def wait_until(condition, seconds, what, every=0.05):
    """The first true value of condition().  TimedOut names `what`, which may be a function."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimedOut(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(every)
