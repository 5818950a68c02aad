#!/bin/bash
# rabbit.sh start|stop|kill|pause|resume|wipe|status|port|mgmt|tls|ctl|env [NAME] [CTL ARGS]: one RabbitMQ node on loopback with an epmd
# of its own (one per RUN_ROOT).  `start` prints the AMQP port; `mgmt` the management API's (guest/guest); `tls` the AMQP port
# with TLS, which wants a client's certificate, and the folder of the certificates (certificates.sh).
# env: RUN_ROOT; at first start (kept): SERVER_ROOT (an unpacked tree made by rabbit43.sh; empty: the host's packages), PLUGINS,
# CLUSTER="name name" (nodes to form one), COOKIE_HOME (nodes of a cluster share it), SERVER_OPTIONS (more lines for rabbitmq.conf),
# TLS=1 (a listener with TLS, too)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
need_run_root
cmd=${1:-start} name=${2:-rabbit}
D=$RUN_ROOT/$name pidfile=$RUN_ROOT/$name/pid E=$RUN_ROOT/epmd
recall "$D/vars"
SERVER_ROOT=${SERVER_ROOT:-} CLUSTER=${CLUSTER:-} SERVER_OPTIONS=${SERVER_OPTIONS:-} TLS=${TLS:-} COOKIE_HOME=${COOKIE_HOME:-$D/home}
PLUGINS=${PLUGINS-rabbitmq_management}
R=$SERVER_ROOT
if [ -z "$R" ]; then
  # not /usr/sbin/rabbitmq-server: a wrapper that changes to the user rabbitmq
  bin=/usr/lib/rabbitmq/bin epmd=/usr/bin/epmd path=/usr/bin:/bin:/usr/sbin:/sbin
else
  bin=$R/usr/lib/rabbitmq/bin epmd=$(echo "$R"/usr/lib/erlang/erts-*/bin/epmd) path=$R/usr/lib/erlang/bin:/usr/bin:/bin:/usr/sbin:/sbin
fi
# A block of ports: AMQP, management, distribution, those of the command line tools, AMQP with TLS.
BLOCK=9
environment() {
  local port epmd_port
  port=$(cat "$D/port") epmd_port=$(cat "$E/port")
  ENVIRONMENT=(env -i PATH="$path" HOME="$COOKIE_HOME" LANG=C.UTF-8 LC_ALL=C.UTF-8 SLUICE_SERVER_OF="$RUN_ROOT"
    ERL_EPMD_PORT="$epmd_port" ERL_EPMD_ADDRESS=127.0.0.1
    RABBITMQ_NODENAME="$name@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$port" RABBITMQ_DIST_PORT=$((port + 2))
    RABBITMQ_MNESIA_BASE="$D/mnesia" RABBITMQ_LOG_BASE="$D/log" RABBITMQ_PID_FILE="$D/beam.pid" RABBITMQ_CONF_ENV_FILE=/dev/null
    RABBITMQ_CONFIG_FILE="$D/rabbitmq.conf" RABBITMQ_ADVANCED_CONFIG_FILE="$D/none.config" RABBITMQ_ENABLED_PLUGINS_FILE="$D/enabled_plugins"
    RABBITMQ_FEATURE_FLAGS_FILE="$D/feature_flags" RABBITMQ_GENERATED_CONFIG_DIR="$D/config"
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
    RABBITMQ_CTL_DIST_PORT_MIN=$((port + 3)) RABBITMQ_CTL_DIST_PORT_MAX=$((port + BLOCK - 2)))
}
amqp_ready() { # the broker answers an AMQP 0-9-1 header with connection.start (frame type 1)
  timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/'"$1"'; printf "AMQP\0\0\11\1" >&3; [ "$(head -c1 <&3 | od -An -tu1 | tr -d " ")" = 1 ]'
}
# The AMQP port answers before the plugins are up, and a TERM then ends in BOOT FAILED: ready is the log's "Server startup
# complete" of this start, and the port.
boot_ready() { tail -c +"$((logpos + 1))" "$D/log/$name@localhost.log" 2>/dev/null | grep -q 'Server startup complete' && amqp_ready "$1"; }
# ctl ARGS: only at a live node; without epmd, Erlang would start one that outlives us.
ctl() { alive "$pidfile" || die "$name is not running"; environment; "${ENVIRONMENT[@]}" "$bin/rabbitmqctl" -q "$@"; }
# Started by hand and first: a node that finds none makes a daemon of its own.
epmd_start() {
  (
    flock 9
    if alive "$E/pid"; then exit 0; fi
    port=$(own_port "$E" 1)
    spawn "$E/pid" "$E" "$E/log" env -i SLUICE_SERVER_OF="$RUN_ROOT" ERL_EPMD_ADDRESS=127.0.0.1 "$epmd" -port "$port" -address 127.0.0.1
    wait_ready 30 "$E/pid" bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
  ) 9>"$E/lock"
}
# The last node takes epmd with it.
epmd_stop_if_idle() {
  [ -d "$E" ] || return 0
  (
    flock 9
    for other in "$RUN_ROOT"/*/enabled_plugins; do
      if alive "$(dirname "$other")/pid"; then exit 0; fi
    done
    stop_pid "$E/pid" TERM 5
  ) 9>"$E/lock"
}
case $cmd in
  start)
    mkdir -p "$D/log" "$D/mnesia" "$COOKIE_HOME" "$E"
    if alive "$pidfile"; then cat "$D/port"; exit 0; fi
    [ -x "$bin/rabbitmq-server" ] || { say "the package rabbitmq-server is not installed"; exit $EX_UNAVAILABLE; }
    port=$(own_port "$D" $BLOCK) t0=$(now_ms)
    port_free "$port" || die "port $port is taken"
    remember "$D/vars" SERVER_ROOT CLUSTER COOKIE_HOME PLUGINS SERVER_OPTIONS TLS
    cookie=$COOKIE_HOME/.erlang.cookie
    if [ ! -s "$cookie" ]; then printf 'SLUICETEST%s' "$RANDOM$RANDOM" >"$cookie"; chmod 400 "$cookie"; fi
    {
      echo "listeners.tcp.1 = 127.0.0.1:$port"
      echo "log.file.level = info"
      echo "log.console = false"
      echo "vm_memory_high_watermark.absolute = 2GB"
      echo "disk_free_limit.absolute = 50MB"
      case ",$PLUGINS," in *,rabbitmq_management,*) printf 'management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = %s\n' $((port + 1)) ;; esac
      if [ -n "$TLS" ]; then
        if [ ! -s "$D/tls/client.pem" ]; then "$SERVERS_DIR/certificates.sh" "$D/tls"; fi
        echo "listeners.ssl.1 = 127.0.0.1:$((port + BLOCK - 1))"
        printf 'ssl_options.%s = %s\n' cacertfile "$D/tls/ca.pem" certfile "$D/tls/server.pem" keyfile "$D/tls/server-key.pem" \
          verify verify_peer fail_if_no_peer_cert true
      fi
      if [ -n "$CLUSTER" ]; then
        echo "cluster_formation.peer_discovery_backend = classic_config"
        i=1
        for n in $CLUSTER; do
          echo "cluster_formation.classic_config.nodes.$i = $n@localhost"
          i=$((i + 1))
        done
      fi
      printf '%s\n' "$SERVER_OPTIONS"
    } >"$D/rabbitmq.conf"
    echo "[$PLUGINS]." >"$D/enabled_plugins"
    epmd_start
    environment
    logpos=$(stat -c %s "$D/log/$name@localhost.log" 2>/dev/null || echo 0)
    # RUNNING_UNDER_SYSTEMD: the start script execs erl, so that our pid is the node itself.
    spawn "$pidfile" "$D" "$D/out" "${ENVIRONMENT[@]}" RUNNING_UNDER_SYSTEMD=true "$bin/rabbitmq-server" -noinput
    wait_ready 180 "$pidfile" boot_ready "$port" || {
      for f in "$D/out" "$D"/log/*.log; do if [ -f "$f" ]; then tail -n 20 "$f" >&2; fi; done
      exit 1
    }
    say "$name ready: $(($(now_ms) - t0)) ms"
    echo "$port"
    ;;
  stop) stop_pid "$pidfile" TERM 60; epmd_stop_if_idle ;;
  kill) stop_pid "$pidfile" KILL 5 ;;
  pause) signal_pid "$pidfile" STOP ;;
  resume) signal_pid "$pidfile" CONT ;;
  wipe) stop_pid "$pidfile" KILL 5; epmd_stop_if_idle; rm -rf "$D" ;;
  status) if alive "$pidfile"; then echo "running $(cat "$D/port")"; else echo stopped; exit 1; fi ;;
  port) cat "$D/port" ;;
  mgmt) echo $(($(cat "$D/port") + 1)) ;;
  tls) echo "$(($(cat "$D/port") + BLOCK - 1)):$D/tls" ;;
  ctl) shift 2; ctl "$@" ;;
  env) environment; printf '%q ' "${ENVIRONMENT[@]}"; echo "$bin" ;;
  *) say "usage: $0 start|stop|kill|pause|resume|wipe|status|port|mgmt|tls|ctl|env [NAME]"; exit 2 ;;
esac
