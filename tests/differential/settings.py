"""The ways a server can be told to write its binlog: all combinations."""
import dataclasses
import itertools

METADATA = {"mysql": ("FULL", "MINIMAL"), "mariadb": ("FULL", "MINIMAL", "NO_LOG")}
ZONES = ("+00:00", "+05:30", "-03:00")


@dataclasses.dataclass(frozen=True)
class Setting:
    flavor: str
    metadata: str
    checksum: str
    compressed: bool
    image: str
    diffs: bool  # binlog_row_value_options=PARTIAL_JSON
    zone: str
    sql_mode: str

    def __str__(self):
        return (f"metadata={self.metadata} checksum={self.checksum} compressed={'yes' if self.compressed else 'no'} image={self.image}"
                f"{' PARTIAL_JSON' if self.diffs else ''} zone={self.zone} sql_mode='{self.sql_mode}'")

    def statements(self):
        """Those for everyone, then those of a connection."""
        common = [f"SET GLOBAL binlog_row_metadata = {self.metadata}", f"SET GLOBAL binlog_checksum = {self.checksum}"]
        mine = [f"SET SESSION binlog_row_image = {self.image}", f"SET time_zone = '{self.zone}'", f"SET sql_mode = '{self.sql_mode}'"]
        if self.flavor == "mysql":
            mine += [f"SET SESSION binlog_transaction_compression = {self.compressed:d}",
                     f"SET SESSION binlog_row_value_options = '{'PARTIAL_JSON' if self.diffs else ''}'"]
        else:
            common += [f"SET GLOBAL log_bin_compress = {self.compressed:d}", "SET GLOBAL log_bin_compress_min_len = 10"]
        return common + mine


def all_settings(flavor, rnd):
    for metadata, checksum, compressed, image, diffs in itertools.product(
            METADATA[flavor], ("CRC32", "NONE"), (False, True), ("FULL", "MINIMAL", "NOBLOB"), (False, True) if flavor == "mysql" else (False,)):
        yield Setting(flavor, metadata, checksum, compressed, image, diffs, rnd.choice(ZONES), rnd.choice(("", "ALLOW_INVALID_DATES")))
