# SPDX-License-Identifier: Apache-2.0
# The shipped units under a real systemd, on a store image: boot, tender, timer, journal, control groups beside systemd's own, an upgrade under
# running containers. What the reboot does with them is looked at by 72-rebooted.sh.
. /opt/vm/guest/lib.sh
archives=/opt/vm/archives

check "the machine has booted" grep -qx running /opt/vm/results/booted.log
is "systemd is the first process" systemd "$(cat /proc/1/comm)"

# A file system for the store, as casemate-system-store-image(1) has it.
casemate system store-image 300m >/run/made 2>&1
check "store-image makes a file" test -f /var/lib/casemate.img
grep '^/var/lib/casemate.img ' /run/made >>/etc/fstab
mkdir -p /var/lib/casemate
check "the line that it prints mounts it" bash -c "$(tail -n 1 /run/made)"
check "with project quotas" grep -q ' /var/lib/casemate .* - ext4 /dev/loop.*prjquota' /proc/self/mountinfo

units="casemate-boot.service casemate-tend.service casemate-tend.timer"
# No man-db here: what they refer to is not looked for.
is "systemd finds nothing wrong with the units" "" "$(systemd-analyze verify --man=no $units casemate-once.service 2>&1)"
systemctl daemon-reload
check "they can be enabled, as ./quickstart does" systemctl --quiet enable --now $units
for unit in $units; do
    is "$unit" active "$(systemctl is-active $unit)"
done
check "the timer has a next time" test "$(systemctl show -P NextElapseUSecMonotonic casemate-tend.timer)" != infinity
check "what the timer calls" systemctl start casemate-once.service
is "has succeeded" success "$(systemctl show -P Result casemate-once.service)"

casemate load -i $archives/busybox.tar >/dev/null 2>&1
check "the store on the image limits the disk" denies 'Disk quota exceeded|No space left on device' \
    casemate run --rm --storage-opt size=16m busybox dd if=/dev/zero of=/fill bs=1M count=32

# The journal, with Docker's fields.
check "a container that logs to the journal" casemate run --name teller --log-driver journald --log-opt tag=told --label kind=test --log-opt labels=kind \
    --env WHERE=vm --log-opt env=WHERE busybox sh -c 'echo one line; echo another >&2; printf "no end"'
id=$(casemate inspect -f '{{.Id}}' teller)
journalctl --sync
# field NAME: of the record with the message "one line".
field()
{
    journalctl --no-pager -o cat --output-fields="$1" CONTAINER_NAME=teller MESSAGE="one line"
}
is "CONTAINER_NAME finds its lines" "another no end one line" "$(journalctl --no-pager -o cat CONTAINER_NAME=teller | LC_ALL=C sort | xargs)"
is "CONTAINER_ID" "$(echo "$id" | cut -c1-12)" "$(field CONTAINER_ID)"
is "CONTAINER_ID_FULL" "$id" "$(field CONTAINER_ID_FULL)"
is "CONTAINER_TAG" told "$(field CONTAINER_TAG)"
is "SYSLOG_IDENTIFIER" told "$(field SYSLOG_IDENTIFIER)"
is "IMAGE_NAME" busybox "$(field IMAGE_NAME)"
is "a label that was asked for" test "$(field KIND)"
is "a variable that was asked for" vm "$(field WHERE)"
is "standard output is information" 6 "$(field PRIORITY)"
is "standard error is an error" 3 "$(journalctl --no-pager -o cat --output-fields=PRIORITY CONTAINER_NAME=teller MESSAGE=another)"
is "a line without an end says so" true "$(journalctl --no-pager -o cat --output-fields=CONTAINER_PARTIAL_MESSAGE CONTAINER_NAME=teller MESSAGE="no end")"
is "casemate logs has them, too" 3 "$(casemate logs teller 2>&1 | grep -c .)"
casemate rm teller >/dev/null

# Control groups: ours beside systemd's slices.
check "a container with limits" casemate run -d --name held --memory 64m --cpus 0.5 --pids-limit 33 --restart always busybox sleep 100000
group=$(group_of held)
limits()
{
    echo "$(cat "$group/memory.max") $(cat "$group/cpu.max") $(cat "$group/pids.max") $(cat "$group/cgroup.procs" | wc -l) $(grep -c rbps "$group/io.max")"
}
is "its group is no unit of systemd's" "/sys/fs/cgroup/casemate" "$(dirname "$group")"
is "its limits" "67108864 50000 100000 33 1 1" "$(limits)"
systemctl set-property --runtime system.slice IOWeight=50 CPUWeight=50 MemoryLow=1M
systemctl daemon-reload
systemctl set-property --runtime system.slice IOWeight= CPUWeight= MemoryLow=
systemctl restart dbus.socket 2>/dev/null
systemctl daemon-reexec
systemctl start casemate-once.service
is "systemd leaves them alone when it changes its own" "67108864 50000 100000 33 1 1" "$(limits)"

# The tender.
tender=$(systemctl show -P MainPID casemate-tend.service)
kill -KILL "$tender"
check "a tender that was killed comes back" until_true test "\$(systemctl show -P MainPID casemate-tend.service)" != "$tender" -a "\$(systemctl is-active casemate-tend.service)" = active
before=$(pid_of held)
kill -KILL "$before"
check "a container that was killed is restarted" until_true test "\$(pid_of held)" != "$before" -a "\$(pid_of held)" != 0
check "with its limits" test "$(group=$(group_of held) && limits)" = "67108864 50000 100000 33 1 1"

# An upgrade: the programs are replaced while containers run.
before=$(pid_of held)
tender=$(systemctl show -P MainPID casemate-tend.service)
for program in /usr/local/bin/casemate /usr/local/libexec/casemate/*; do
    cp -p "$program" "$program.new" && echo >>"$program.new" && mv "$program.new" "$program"
done
check "the units are restarted after an upgrade, as ./quickstart does" systemctl try-restart casemate-tend.service
is "the container did not notice" "$before" "$(pid_of held)"
is "exec works" 0 "$(casemate exec held id -u)"
check "the new tender restarts it" bash -c "kill -KILL $before"
check "as the old one did" until_true test "\$(pid_of held)" != "$before" -a "\$(pid_of held)" != 0

# For the reboot.
polite='trap "sleep 3; echo end of work; exit 0" TERM; echo begun; sleep 100000 & wait; wait'
for policy in always unless-stopped on-failure no; do
    casemate run -d --name "run-$policy" --restart $policy busybox sleep 100000 >/dev/null
    casemate run -d --name "stopped-$policy" --restart $policy busybox sleep 100000 >/dev/null
    casemate stop -t 0 "stopped-$policy" >/dev/null
done
casemate run -d --name polite --stop-timeout 60 busybox sh -c "$polite" >/dev/null
casemate run -d --name deaf --stop-timeout 2 busybox sh -c 'trap "" TERM; echo begun; sleep 100000 & wait; wait; wait' >/dev/null
# What is left in a unit's group is killed when the unit ends: a shim must not be there.
check "one that a unit has started, which ends" systemd-run --quiet --wait casemate run -d --name of-unit --stop-timeout 60 busybox sh -c "$polite"
check "goes on" until_true "casemate logs of-unit | grep -q begun"
shim=$(sed -n 's/^PPid:\t//p' "/proc/$(pid_of of-unit)/status")
is "its shim is in a group of ours" 0::/casemate/shims "$(cat "/proc/$shim/cgroup")"
is "containers run" 8 "$(casemate ps -q | wc -l)"
finish
