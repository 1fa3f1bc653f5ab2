# SPDX-License-Identifier: Apache-2.0
# Limits on cgroup v2 (rows 31, 33, 36, 37): block I/O, what all containers have together, update, pause, stats, devices.
. /opt/vm/guest/lib.sh
archives=/opt/vm/archives

casemate load -i $archives/busybox.tar >/dev/null 2>&1
disk=$(lsblk -no MAJ:MIN "$(findmnt -no SOURCE -T /var/lib/casemate)" | head -n 1 | tr -d ' ')
node=/dev/$(basename "$(readlink -f "/sys/dev/block/$disk")")

# Row 31.
check "a container starts" casemate run -d --name plain busybox sleep 1000
group=$(group_of plain)
check "io.max is set for the disk of the data root" grep -qE "^$disk rbps=268435456 wbps=268435456 riops=10000 wiops=10000" "$group/io.max"
check "explain shows it, and that buffered writes count" says "reads 256 MiB in 10000 requests" casemate explain plain
check "explain does not say that buffered writes are free" sh -c '! casemate explain plain | grep -q "buffered writes"'

# slow FLAG DD-OPTIONS...: seconds that 4 MiB take at 1 MiB/s, from the container's own clock.
slow()
{
    slow_flag=$1
    shift
    casemate run --rm "$slow_flag" "$node:1mb" busybox sh -c \
        "a=\$(cut -d. -f1 /proc/uptime); dd if=/dev/zero of=/file bs=64k count=64 $* 2>/dev/null; b=\$(cut -d. -f1 /proc/uptime); echo \$((b - a))"
}
check "direct writes are slowed down" test "$(slow --device-write-bps oflag=direct)" -ge 2
check "buffered writes are slowed down when they reach the disk" test "$(slow --device-write-bps conv=fsync)" -ge 2

# Row 36.
is "the kernel ends containers first" 500 "$(cat "/proc/$(pid_of plain)/oom_score_adj")"
shim=$(sed -n 's/^PPid:\t//p' "/proc/$(pid_of plain)/status")
check "the shim is not ended before its container" test "$(cat "/proc/$shim/oom_score_adj")" -lt 500

# Row 28, all together: the machine keeps its reserve although each container has less than its limit.
parent=$(dirname "$group")
total=$(($(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) * 1024))
check "all containers together have a limit" test "$(cat "$parent/memory.max")" -lt $((total - 100000000))
each=$(($(cat "$parent/memory.max") / 1048576 * 3 / 4))
casemate run -d --name one --memory "${each}m" --shm-size "${each}m" busybox sh -c "dd if=/dev/zero of=/dev/shm/x bs=1M count=$((each - 20)); sleep 1000" >/dev/null
casemate run -d --name two --memory "${each}m" --shm-size "${each}m" busybox sh -c "dd if=/dev/zero of=/dev/shm/x bs=1M count=$((each - 20)); sleep 1000" >/dev/null
together=0
for _ in $(seq 60); do
    [ "$(sed -n 's/^oom_kill //p' "$parent/memory.events")" != 0 ] && together=1 && break
    sleep 1
done
is "two that want more than all may have: the kernel ends one of them" 1 $together
check "the host has memory left" test "$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo)" -gt 50000
casemate rm -f one two >/dev/null 2>&1

# Row 37: update.
check "update takes new limits" casemate update --memory 100m --pids-limit 50 --cpus 0.25 --cpu-shares 512 plain
is "memory.max is the new one" 104857600 "$(cat "$group/memory.max")"
is "swap stays none" 0 "$(cat "$group/memory.swap.max")"
is "pids.max is the new one" 50 "$(cat "$group/pids.max")"
is "cpu.max is the new one" "25000 100000" "$(cat "$group/cpu.max")"
is "cpu.weight is the new one" 20 "$(cat "$group/cpu.weight")"
casemate stop -t 0 plain >/dev/null 2>&1
check "the container starts again" casemate start plain
group=$(group_of plain)
is "and has the updated limits" "104857600 50" "$(cat "$group/memory.max") $(cat "$group/pids.max")"

# Pause and stats.
check "pause" casemate pause plain
is "cgroup.freeze is set" 1 "$(cat "$group/cgroup.freeze")"
is "inspect says so" paused "$(casemate inspect --format '{{.State.Status}}' plain)"
check "unpause" casemate unpause plain
is "cgroup.freeze is not set" 0 "$(cat "$group/cgroup.freeze")"
check "stats shows memory and limit" says '^plain [0-9.]+[KM]iB / 100MiB 1$' casemate stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' plain
casemate pause plain >/dev/null
check "kill ends a paused container" casemate kill plain

# Devices.
check "a device that was granted can be used" says '^00 00$' casemate run --rm --device /dev/zero:/dev/given busybox sh -c 'head -c 2 /dev/given | od -An -tx1 | tr -s " " | sed "s/^ //"'
is "a disk is refused" 125 "$(casemate run --rm --device "$node" busybox true >/dev/null 2>&1; echo $?)"
printf '[practice "isolation"]\nallow-device = %s\n' "$node" >/run/device.conf
check "one that may only be read can be read" env CASEMATE_CONF=/run/device.conf casemate run --rm --device "$node:/dev/disk:r" busybox head -c 1 /dev/disk
check "and not be written, whatever its permissions are" sh -c "! CASEMATE_CONF=/run/device.conf casemate run --rm --device $node:/dev/disk:r busybox sh -c 'chmod 666 /dev/disk && : >>/dev/disk' 2>/dev/null"
check "no container makes a node that can be opened" sh -c '! casemate run --rm busybox sh -c "mknod /n c 1 3 && : >/n" 2>/dev/null'
casemate rm -f plain >/dev/null 2>&1
finish
