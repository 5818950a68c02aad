#!/bin/bash
# rabbit-cluster.sh start|stop|wipe|status|ports, kill|up|pause|resume N, ctl ARGS: three RabbitMQ nodes.
# `start` and `ports` print their AMQP ports; ctl talks to the first node that runs.
# env: RUN_ROOT; V43=1 takes RabbitMQ 4.3 (nodes rx1..rx3, else rq1..rq3)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
need_run_root
if [ -n "${V43:-}" ]; then one=$SERVERS_DIR/rabbit43.sh p=rx; else one=$SERVERS_DIR/rabbit.sh p=rq; fi
node() { "$one" "$1" "$p$2" "${@:3}"; }
ports() { for i in 1 2 3; do cat "$RUN_ROOT/$p$i/port"; done | paste -sd' '; }
formed() { # all three are seen as running by the first
  [ "$(node ctl 1 cluster_status --formatter json | tr -d '\n' | sed -n 's/.*"running_nodes":\[\([^]]*\)\].*/\1/p' | grep -o '@' | wc -l)" = 3 ]
}
case ${1:-start} in
  start)
    export CLUSTER="${p}1 ${p}2 ${p}3" COOKIE_HOME=$RUN_ROOT/$p-home PLUGINS=${PLUGINS-rabbitmq_management}
    mkdir -p "$COOKIE_HOME"
    cookie=$COOKIE_HOME/.erlang.cookie
    if [ ! -s "$cookie" ]; then printf 'SLUICECLUSTER%s' "$RANDOM$RANDOM" >"$cookie"; chmod 400 "$cookie"; fi
    t0=$(now_ms) pids=()
    for i in 1 2 3; do # together: a node waits for the others to form the cluster
      node start $i >/dev/null &
      pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    wait_ready 60 "$RUN_ROOT/${p}1/pid" formed || die "the nodes did not form a cluster"
    say "cluster ready: $(($(now_ms) - t0)) ms"
    ports
    ;;
  stop)
    for i in 1 2 3; do node stop $i & done
    wait
    ;;
  kill) node kill "$2" ;;
  up) node start "$2" ;;
  pause | resume) node "$1" "$2" ;;
  wipe) for i in 1 2 3; do node wipe $i; done; rm -rf "$RUN_ROOT/$p-home" ;;
  status) for i in 1 2 3; do echo "$p$i $(node status $i || true)"; done ;;
  ports) ports ;;
  ctl)
    shift
    for i in 1 2 3; do
      if node status $i >/dev/null; then node ctl $i "$@"; exit; fi
    done
    die "no node runs"
    ;;
  *) say "usage: $0 start|stop|wipe|status|ports, kill|up|pause|resume N, ctl ARGS"; exit 2 ;;
esac
