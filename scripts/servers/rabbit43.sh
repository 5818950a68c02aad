#!/bin/bash
# rabbit43.sh start|stop|... [NAME]: RabbitMQ 4.3 on Erlang 29 (Debian sid, unpacked, its programs patched); as rabbit.sh
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
SERVER_ROOT=$(ASSUME="adduser openssl rabbitmqadmin-ng debconf perl systemd procps" "$SERVERS_DIR/fetch_root.sh" sid rabbit43 rabbitmq-server)
export SERVER_ROOT
# Its programs start one another (erl, erlexec, beam.smp, erl_child_setup, inet_gethost), so each gets the tree's own ld.so;
# DT_RPATH, unlike RUNPATH, also holds for the libraries of the .so files they load.  The paths are absolute: a tree that was
# moved is patched again.
patched() { [ "$(cat "$SERVER_ROOT/.patched" 2>/dev/null)" = "$SERVER_ROOT" ]; }
if ! patched; then
  (
    flock 9
    if patched; then exit 0; fi
    tree_names
    command -v patchelf >/dev/null || { say "the package patchelf is not installed"; exit $EX_UNAVAILABLE; }
    find "$SERVER_ROOT"/usr/lib/erlang -type f -perm /111 | while read -r f; do
      if patchelf --print-interpreter "$f" >/dev/null 2>&1; then
        patchelf --set-interpreter "$SERVER_ROOT/$TREE_LD" --force-rpath --set-rpath "$SERVER_ROOT/usr/lib/$TREE_TRIPLE" "$f"
      fi
    done
    sed -i "s#^\( *ROOTDIR=\)/.*/usr/lib/erlang\$#\1$SERVER_ROOT/usr/lib/erlang#; s#^\( *ROOTDIR=\)/usr/lib/erlang\$#\1$SERVER_ROOT/usr/lib/erlang#" \
      "$SERVER_ROOT"/usr/lib/erlang/bin/erl "$SERVER_ROOT"/usr/lib/erlang/erts-*/bin/erl
    echo "$SERVER_ROOT" >"$SERVER_ROOT/.patched"
  ) 9>"$CACHE_DIR/.lock"
fi
exec "$SERVERS_DIR/rabbit.sh" "${1:-start}" "${2:-rabbit43}" "${@:3}"
