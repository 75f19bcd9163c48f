#!/usr/bin/env bash
# Runs the silos of a cluster on this machine, with nothing but .NET.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: cluster.sh up N [options]   starts N silos and waits until all are ready
       cluster.sh status           prints each silo's process, ports and whether it is ready
       cluster.sh down             stops them in order, the last first, and waits until they have ended

options of up, the others of a silo after --:
  --redis HOST:PORT      find each other through Redis; without it the first silo keeps the list
  --models NAME=PATH     serve a model; may be repeated
  --compute-threads N    threads that compute in each silo (one a processor)
  --pin                  keep each silo to one processor, its own as far as there are enough, by taskset
  --silo-port PORT       silo port of the first silo, the others count up (11111)
  --gateway-port PORT    gateway port of the first silo (30000)
  --health-port PORT     health port of the first silo (8081)

environment: HEADCLUSTER_STATE  directory of what it remembers and of the logs (${TMPDIR:-/tmp}/headcluster)
             HEADCLUSTER_SILO   HeadCluster.Silo.dll to run (that of this repository, built if need be)
USAGE
}

fail() { echo "error: $*" >&2; exit 2; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state=${HEADCLUSTER_STATE:-${TMPDIR:-/tmp}/headcluster}
patience=120 # seconds

# One line a silo: its number, process, silo port, gateway port, health port.
silos=$state/silos

# Whether a process is still the one that was started: numbers are used again.
runs() { [[ $(command_of "$1" 2>/dev/null) == *HeadCluster.Silo* ]]; }
command_of() { if [ -d /proc/self ]; then tr '\0' ' ' < "/proc/$1/cmdline"; else ps -o args= -p "$1"; fi; }

# What /health/ready answers, without a tool that the machine may not have.
health() {
    local code=
    { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || { echo "not listening"; return; }
    printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    read -r -t 5 _ code _ <&3 || true
    exec 3<&- 3>&-
    case $code in
        200) echo ready ;;
        "") echo "no answer" ;;
        *) echo "not ready" ;;
    esac
}

is_number() { [[ $1 =~ ^[1-9][0-9]*$ ]]; }

up() {
    is_number "${1:-}" || fail "up: '${1:-}' is not a number of silos"
    local count=$1 redis='' pin='' silo_port=11111 gateway_port=30000 health_port=8081 args=()
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            --pin) pin=yes; shift; continue ;;
            --) shift; args+=("$@"); break ;;
        esac
        [ $# -gt 1 ] || fail "up: $1 needs a value"
        case $1 in
            --redis) redis=$2 ;;
            --models) args+=(--models "$2") ;;
            --compute-threads) export HeadCluster__ComputeThreads=$2 ;;
            --silo-port) is_number "$2" || fail "up: $1: '$2' is not a port"; silo_port=$2 ;;
            --gateway-port) is_number "$2" || fail "up: $1: '$2' is not a port"; gateway_port=$2 ;;
            --health-port) is_number "$2" || fail "up: $1: '$2' is not a port"; health_port=$2 ;;
            *) fail "up: '$1' is not an option of cluster.sh; give those of a silo after --" ;;
        esac
        shift 2
    done

    [ -z "$pin" ] || command -v taskset >/dev/null || fail "up: --pin needs taskset, which this machine has not"
    if [ -e "$silos" ]; then
        while read -r number pid _; do
            ! runs "$pid" || fail "silo $number of a cluster in $state is up; stop that with down, or name another directory in HEADCLUSTER_STATE and other ports"
        done < "$silos"
    fi

    local program=${HEADCLUSTER_SILO:-$root/src/HeadCluster.Silo/bin/Release/net10.0/HeadCluster.Silo.dll}
    if [ ! -e "$program" ]; then
        [ -z "${HEADCLUSTER_SILO:-}" ] || fail "HEADCLUSTER_SILO is $program, which is not there"
        dotnet build -c Release "$root/src/HeadCluster.Silo" >&2
    fi

    if [ -n "$redis" ]; then
        args+=(--clustering Redis --connection-string "$redis" --advertised-address 127.0.0.1)
    else
        args+=(--primary-port "$silo_port")
    fi

    # Whatever answers there would be taken for the silo that is to.
    local i run
    for ((i = 0; i < count; i++)); do
        [ "$(health $((health_port + i)))" = "not listening" ] || fail "up: something listens on health port $((health_port + i)); choose others by --health-port"
    done

    mkdir -p "$state"
    : > "$silos"
    for ((i = 0; i < count; i++)); do
        run=()
        [ -z "$pin" ] || run=(taskset --cpu-list $((i % $(getconf _NPROCESSORS_ONLN))))
        nohup "${run[@]}" dotnet "$program" --name "silo-$((i + 1))" \
            --silo-port $((silo_port + i)) --gateway-port $((gateway_port + i)) --health-port $((health_port + i)) "${args[@]}" \
            > "$state/silo-$((i + 1)).log" 2>&1 < /dev/null &
        echo "$((i + 1)) $! $((silo_port + i)) $((gateway_port + i)) $((health_port + i))" >> "$silos"
    done

    local number pid health_of start=$SECONDS
    while read -r number pid _ _ health_of; do
        until [ "$(health "$health_of")" = ready ]; do
            # Its own child, which may not yet be the program that it becomes.
            if ! kill -0 "$pid" 2>/dev/null || [ $((SECONDS - start)) -gt "$patience" ]; then
                tail -n 5 "$state/silo-$number.log" >&2
                down >&2
                fail "silo $number did not become ready"
            fi
            sleep 0.2
        done
    done < "$silos"
    status
}

status() {
    [ -e "$silos" ] || { echo "no cluster is up"; return; }
    local number pid silo_port gateway_port health_port
    while read -r number pid silo_port gateway_port health_port; do
        echo "silo-$number  process $pid  silo port $silo_port  gateway port $gateway_port  health port $health_port  $(
            if runs "$pid"; then health "$health_port"; else echo ended; fi)"
    done < "$silos"
}

down() {
    [ -e "$silos" ] || { echo "no cluster is up"; return; }
    local lines i number pid start
    mapfile -t lines < "$silos"
    for ((i = ${#lines[@]} - 1; i >= 0; i--)); do
        read -r number pid _ <<< "${lines[i]}"
        ! runs "$pid" || kill -TERM "$pid"
        start=$SECONDS
        while runs "$pid"; do
            [ $((SECONDS - start)) -le "$patience" ] || fail "silo $number, process $pid, has not ended within $patience s"
            sleep 0.1
        done
        echo "silo-$number has ended"
    done
    rm "$silos"
}

case ${1:-} in
    up) shift; up "$@" ;;
    status) status ;;
    down) down ;;
    -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
esac
