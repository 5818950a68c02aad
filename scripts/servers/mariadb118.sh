#!/bin/bash
# mariadb118.sh start|stop|... [NAME]: MariaDB 11.8 (Debian trixie, unpacked); as mariadb.sh
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
SERVER_ROOT=$(ASSUME="perl perl-base debconf" "$SERVERS_DIR/fetch_root.sh" trixie mariadb118 mariadb-server-core mariadb-client-core)
export SERVER_ROOT SERVER_ID=${SERVER_ID:-118}
exec "$SERVERS_DIR/mariadb.sh" "${1:-start}" "${2:-mariadb118}" "${@:3}"
