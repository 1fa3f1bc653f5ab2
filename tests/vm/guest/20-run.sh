# SPDX-License-Identifier: Apache-2.0
# A core subset of the engine on a stock kernel: images, ids, overlay of many layers, limits on cgroup v2, AppArmor.
# Everything that is claimed is read from the host's side.
. /opt/vm/guest/lib.sh
archives=/opt/vm/archives

# limit PID FILE: the nearest value that is set, from the process's cgroup upwards.
limit()
{
    limit_path=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
    while [ -n "$limit_path" ] && [ "$limit_path" != / ]; do
        limit_value=$(cat "/sys/fs/cgroup$limit_path/$2" 2>/dev/null)
        case $limit_value in "" | max | max\ *) ;; *) echo "$limit_value"; return ;; esac
        limit_path=$(dirname "$limit_path")
    done
    echo unlimited
}

check "the embedded image runs" says . casemate run --rm casemate/hello
check "load takes an archive" casemate load -i $archives/busybox.tar
check "a loaded image runs" says '^it works$' casemate run --rm busybox echo it works

casemate run --rm busybox sh -c 'exit 7' >/dev/null 2>&1
is "the exit status is the command's" 7 $?

# Limits, asked for.
check "a container starts in the background" casemate run -d --name given --memory 64m --cpus 0.5 --pids-limit 33 busybox sleep 1000
pid=$(pid_of given)
is "memory.max is what was asked for" 67108864 "$(limit "$pid" memory.max)"
is "memory.swap.max is 0" 0 "$(limit "$pid" memory.swap.max)"
is "pids.max is what was asked for" 33 "$(limit "$pid" pids.max)"
is "cpu.max is what was asked for" "50000 100000" "$(limit "$pid" cpu.max)"
check "the container sees its own limit" says '^67108864$' casemate exec given cat /sys/fs/cgroup/memory.max

# Limits, by default (rows 27 to 29).
check "a container starts without a flag" casemate run -d --name plain busybox sleep 1000
pid=$(pid_of plain)
total=$(($(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) * 1024))
memory=$(limit "$pid" memory.max)
check "memory is limited without a flag" test "$memory" -lt "$total"
is "swap is not granted without a flag" 0 "$(limit "$pid" memory.swap.max)"
check "processes are limited without a flag" test "$(limit "$pid" pids.max)" -le 512
check "processors are limited without a flag" test "$(limit "$pid" cpu.max)" != unlimited

# Identity.
uid=$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")
check "uid 0 in the container is an id of the pool" test "$uid" -ge 1879113728 -a "$uid" -le 2147418111
is "no capability" 0000000000000000 "$(sed -n 's/^CapEff:\t//p' "/proc/$pid/status")"
is "no_new_privs" 1 "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$pid/status")"
check "a file is written in the container" casemate exec plain sh -c 'echo mine >/written && stat -c %u /written'
written=$(find /var/lib/casemate/containers -name written -type f | head -n 1)
is "on the disk it belongs to the neutral range" 1879048192 "$(stat -c %u "$written" 2>&1)"

# AppArmor.
confined=$(cat "/proc/$pid/attr/current")
check "AppArmor confines the container ($confined)" test "${confined#casemate}" != "$confined"

# Layers: more than lowerdir= can name in 255 bytes.
check "an image of 39 layers is loaded" casemate load -i $archives/layers.tar
check "the uppermost layer wins" says '^37$' casemate run --rm layers cat /layers/last
check "every layer is there" says '^39$' casemate run --rm layers sh -c 'ls /layers | wc -l'
check "ids of files are those of the image" says '^5 17 37$' casemate run --rm layers sh -c \
    'echo $(stat -c %u /layers/5) $(stat -c %g /layers/17) $(stat -c %u /layers/37)'
check "the root can be written" says '^ok$' casemate run --rm layers sh -c 'echo new >/layers/last && rm /layers/6 && mkdir /layers/d && echo ok'

# A hog ends by its own limit.
casemate run --rm --memory 32m busybox sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=48; tail /dev/zero' >/run/hog 2>&1
is "what takes more memory than its limit is killed" 137 $?

# Nothing stays.
check "stop ends a container" casemate stop -t 1 given
check "rm removes it" casemate rm given
check "rm -f removes a running one" casemate rm -f plain
is "ps -a shows nothing" "" "$(casemate ps -aq)"
is "no cgroup of a container stays" "" "$(find /sys/fs/cgroup -mindepth 2 -type d -path '*casemate*' ! -name shims | head -n 3)"
is "no id block stays claimed" "" "$(find /run/casemate/ids -type f ! -name next 2>/dev/null)"
is "no mount stays" "" "$(grep -E ' /(var/lib|run)/casemate' /proc/self/mountinfo)"
finish
