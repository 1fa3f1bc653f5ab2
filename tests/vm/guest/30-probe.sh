# SPDX-License-Identifier: Apache-2.0
# The probe on Debian's own kernel, which has what other machines may lack (modules, kexec, swap, cgroup v2): it sees the powers of
# root there, changes nothing by trying them, and reads the limits of a cgroup v2 group.
. /opt/vm/guest/lib.sh

hello=$(find /opt/vm/stage -path '*/libexec/casemate/hello' -type f | head -n 1)
[ -n "$hello" ] || { skip "the probe" "the build has no hello"; finish; }

state()
{
    hostname
    cat /proc/self/mountinfo /proc/swaps /proc/sysvipc/msg /proc/sysvipc/sem /proc/sysvipc/shm /proc/sys/kernel/domainname \
        /sys/kernel/kexec_loaded
    find /tmp /var/tmp /dev/shm /run -xdev -name '.casemate-probe-*'
}

# value KEY: of one of the probe's single values.
value()
{
    sed -n "s/^  \"$1\": \(.*[^,]\),\{0,1\}$/\1/p" /var/tmp/probe
}

works()
{
    grep -q "^  \"powers\":.*\"$1\":1" /var/tmp/probe
}

state >/var/tmp/before
check "the probe runs as root" bash -c "'$hello' probe >/var/tmp/probe"
state >/var/tmp/after
check "nothing has changed" cmp /var/tmp/before /var/tmp/after
is "system calls tried" 382 "$(value syscalls_tried)"
check "most are reachable" [ "$(value syscalls_reachable)" -ge 320 ]
for power in reboot kexec load_module swap set_time set_hostname io_ports mount mknod_device setuid_other raw_socket kernel_log; do
    check "root has the power $power here" works $power
done
check "the clock runs on" [ "$(date +%Y)" -ge 2024 ]

check "the probe runs without an identity" bash -c \
    "setpriv --reuid 65533 --regid 65533 --clear-groups --bounding-set=-all '$hello' probe >/var/tmp/probe"
for power in reboot kexec load_module swap set_time set_hostname io_ports mount mknod_device setuid_other raw_socket; do
    check "nobody has not the power $power" bash -c "! grep -q '\"$power\":1' /var/tmp/probe"
done
is "capabilities" 0 "$(value cap_bnd)"

group=/sys/fs/cgroup/probe-test
mkdir $group
echo 77 >$group/pids.max
echo 134217728 >$group/memory.max
echo "50000 100000" >$group/cpu.max
bash -c "echo 0 >$group/cgroup.procs && exec '$hello' probe >/var/tmp/probe"
is "processes of the group" 77 "$(value pids_limit)"
is "memory of the group" 134217728 "$(value memory_limit)"
is "processors of the group" 0.500 "$(value cpu_limit)"
is "read from cgroup v2" '"cgroup2"' "$(value limits_source)"
rmdir $group
finish
